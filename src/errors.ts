/**
 * Why something failed. Stable: safe to branch on, to translate and to search for.
 *
 * | code | cause |
 * |---|---|
 * | `not_installed` | `app.use(createPgflow(…))` did not run before the store was used |
 * | `flow_not_found` | no flow of that slug is in the database |
 * | `flow_not_allowed` | the flow exists, but this role may not start it |
 * | `not_signed_in` | the database wants a signed-in user |
 * | `invalid_input` | the input is not JSON, or not what the flow takes |
 * | `run_conflict` | the run id belongs to another start |
 * | `run_not_found` | there is no such run, or it is not yours to see |
 * | `run_failed` | the run that was waited for failed; the message is that of its step |
 * | `schema_not_exposed` | the API does not expose the schema |
 * | `not_migrated` | the RPC is missing in the database |
 * | `unauthorized` | the key or token was refused |
 * | `rate_limited` | the server asks to slow down |
 * | `unreachable` | no answer from the server |
 * | `timeout` | no answer in time |
 * | `aborted` | the caller's `AbortSignal` fired |
 * | `malformed_reply` | an answer that is not what the RPC promises |
 * | `malformed_message` | a broadcast that does not parse; it was not applied |
 * | `channel_failed` | Realtime dropped the channel; it is joined again |
 * | `channel_refused` | Realtime refused the channel: the token, the policy or a limit |
 * | `server_error` | any other failure the database reports |
 */
export type PgflowErrorCode =
  | 'not_installed'
  | 'flow_not_found'
  | 'flow_not_allowed'
  | 'not_signed_in'
  | 'invalid_input'
  | 'run_conflict'
  | 'run_not_found'
  | 'run_failed'
  | 'schema_not_exposed'
  | 'not_migrated'
  | 'unauthorized'
  | 'rate_limited'
  | 'unreachable'
  | 'timeout'
  | 'aborted'
  | 'malformed_reply'
  | 'malformed_message'
  | 'channel_failed'
  | 'channel_refused'
  | 'server_error'

/** An error as plain data, so that it can live in the store. */
export interface PlainError {
  code: PgflowErrorCode
  message: string
  hint: string | null
}

/** What can be said about an error besides its code and message. */
export interface PgflowErrorDetails {
  /** What to do about it. */
  hint?: string
  runId?: string
  cause?: unknown
}

/** Failures that may pass by themselves: the same call can succeed a moment later. */
const transient = new Set<PgflowErrorCode>([
  'unreachable',
  'timeout',
  'rate_limited',
  'channel_failed',
  'channel_refused',
])

/**
 * Every failure of this library. `message` names the cause, `hint` the fix.
 *
 * @example
 * try {
 *   await start({ text })
 * } catch (error) {
 *   if (error instanceof PgflowError && error.code === 'unreachable') showRetry(error.runId)
 * }
 */
export class PgflowError extends Error {
  override readonly name = 'PgflowError'
  readonly code: PgflowErrorCode
  /** What to do about it, or null when there is nothing better to say than the message. */
  readonly hint: string | null
  /** The run it is about. A start that failed can be repeated with this id. */
  readonly runId: string | null

  constructor(code: PgflowErrorCode, message: string, details: PgflowErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.hint = details.hint ?? null
    this.runId = details.runId ?? null
  }

  /** Whether the same call may succeed a moment later. */
  get isTransient(): boolean {
    return transient.has(this.code)
  }

  /** The part that can be stored and sent. */
  toJSON(): PlainError {
    return { code: this.code, message: this.message, hint: this.hint }
  }

  /** The same error, naming the run it is about. */
  about(runId: string): PgflowError {
    return this.runId === runId
      ? this
      : new PgflowError(this.code, this.message, {
          ...(this.hint !== null && { hint: this.hint }),
          runId,
          cause: this.cause,
        })
  }
}

/** Any thrown value as a `PgflowError`; what already is one stays the same. */
export function toPgflowError(error: unknown): PgflowError {
  if (error instanceof PgflowError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new PgflowError('server_error', message, { cause: error })
}

/** There is no such run, as far as this caller may know. */
export function runNotFound(runId: string): PgflowError {
  return new PgflowError('run_not_found', `There is no run ${runId}, or it is not yours to see.`, {
    runId,
    hint: 'Check the id, and that you are signed in as the user who started the run.',
  })
}
