import { createRedactor } from './redact.ts'

/** What a command needs from its process. */
export interface CommandContext {
  /** The folder from which it was called. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Now, in ms since 1970. */
  readonly now: () => number
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
}

/** Where a command writes. Nothing that was declared secret gets through. */
export interface Terminal {
  /** The output of the command: may be piped into a file or another command. */
  result(text: string): void
  /** Messages of the command about its work. */
  note(text: string): void
  /** Keys, tokens and passwords that are never to be seen. */
  hide(...secrets: (string | undefined)[]): void
}

/** Writes lines to the streams of the command, without secrets. */
export function createTerminal({ stdout, stderr }: CommandContext): Terminal {
  const redactor = createRedactor()
  return {
    hide: (...secrets) => redactor.hide(...secrets),
    result: (text) => stdout(`${redactor.redact(text)}\n`),
    note: (text) => stderr(`${redactor.redact(text)}\n`),
  }
}
