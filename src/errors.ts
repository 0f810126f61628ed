import { isTransientCode, type PgflowErrorCode } from './error-codes.ts'
import { hintOf } from './error-hints.ts'
import { clip } from './model/text.ts'

export type { PgflowErrorCode }

/** An error as plain data, so that it can live in the store. */
export interface PlainError {
  code: PgflowErrorCode
  message: string
  hint: string | null
}

/** What can be said about an error besides its code and message. */
export interface PgflowErrorDetails {
  /** What to do about it; default: what is known of the code. */
  hint?: string | null | undefined
  /** The run it is about, if it is about one. */
  runId?: string | null
  cause?: unknown
}

/**
 * Every failure of this library. `message` names the cause, `hint` the fix.
 *
 * @example
 * try {
 *   await startAsync({ text })
 * } catch (error) {
 *   if (error instanceof PgflowError && error.code === 'unreachable') showRetry(error.runId)
 * }
 */
export class PgflowError extends Error {
  override readonly name = 'PgflowError'
  readonly code: PgflowErrorCode
  /**
   * What to do about it. In production null unless the database or the call has more to say than the
   * code: the hints of the codes are for developers, and are left out of the bundle.
   */
  readonly hint: string | null
  /** The run it is about. A start that failed can be repeated with this id. */
  readonly runId: string | null

  constructor(code: PgflowErrorCode, message: string, details: PgflowErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.hint = details.hint ?? (process.env.NODE_ENV === 'production' ? null : hintOf(code))
    this.runId = details.runId ?? null
  }

  /** Whether the same call may succeed a moment later. */
  get isTransient(): boolean {
    return isTransientCode(this.code)
  }

  /** Where the code is explained, in the installed package. */
  get docs(): string {
    return `pinia-pgflow/docs/errors.md#${this.code}`
  }

  /**
   * The part that can be stored and sent.
   * @example
   * const { code, message, hint } = failure.toJSON()
   */
  toJSON(): PlainError {
    return { code: this.code, message: this.message, hint: this.hint }
  }

  /**
   * The same error, naming the run it is about.
   * @example
   * throw failure.about(runId)
   */
  about(runId: string): PgflowError {
    return this.runId === runId
      ? this
      : new PgflowError(this.code, this.message, {
          hint: this.hint,
          runId,
          cause: this.cause,
        })
  }
}

/** Any thrown value as a `PgflowError`; what already is one stays the same. */
export function toPgflowError(error: unknown): PgflowError {
  let message = 'Something was thrown that cannot be written out.'
  try {
    if (error instanceof PgflowError) return error
    message = String(error instanceof Error ? error.message : error)
  } catch {
    // A program can throw anything: an object without a prototype, or one whose text throws.
  }
  return new PgflowError('server_error', message, { cause: error })
}

/** There is no such run, as far as this caller may know. */
export function runNotFound(runId: string): PgflowError {
  return new PgflowError('run_not_found', `There is no run ${runId}, or it is not yours to see.`, {
    runId,
  })
}

/** There is no such flow. */
export function flowNotFound(flowSlug: string): PgflowError {
  return new PgflowError('flow_not_found', `There is no flow "${clip(flowSlug)}".`)
}
