/** A failure that ends the command, with a message for the user. */
export class CliError extends Error {
  override readonly name = 'CliError'
  /** What to do about it. */
  readonly fix: string
  /** 2 where the command was called wrongly, 1 for everything else. */
  readonly exitCode: 1 | 2

  constructor(message: string, fix: string, { usage = false, cause }: CliErrorOptions = {}) {
    super(message, { cause })
    this.fix = fix
    this.exitCode = usage ? 2 : 1
  }
}

interface CliErrorOptions {
  usage?: boolean
  cause?: unknown
}

/** A thrown value, in one line. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  // Several addresses were tried, and the error itself has no message.
  if (thrown instanceof AggregateError && thrown.message === '') {
    return thrown.errors.map(messageOf).join('; ')
  }
  return thrown.message.split('\n', 1).join('')
}

/** The code of an error of Node or Postgres, such as `ENOENT` or `28P01`; empty without one. */
export function codeOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return ''
  return typeof thrown.code === 'string' ? thrown.code : ''
}
