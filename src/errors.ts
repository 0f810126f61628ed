import { isTransientCode, type PgflowErrorCode } from './error-codes.ts'
import { hintOf } from './error-hints.ts'
import { clip } from './model/text.ts'

export type { PgflowErrorCode }

/** An error as plain data, as it is kept in the store. */
export interface PlainError {
  code: PgflowErrorCode
  message: string
  hint: string | null
}

/** The optional parts of an error. */
export interface PgflowErrorDetails {
  /** What to do about it; by default the hint of the code. */
  hint?: string | null | undefined
  /** The run it is about, if any. */
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
   * What to do about it. In production null unless the database or the call provides a hint: the
   * hints of the codes are for developers, and are left out of the bundle.
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
   * The error as plain data.
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

/** Converts any thrown value to a `PgflowError`; a `PgflowError` is returned unchanged. */
export function toPgflowError(error: unknown): PgflowError {
  let message = 'Something was thrown that cannot be written out.'
  try {
    if (error instanceof PgflowError) return error
    message = String(error instanceof Error ? error.message : error)
  } catch {
    // Any value can be thrown: an object without a prototype, or one whose `toString` throws.
  }
  return new PgflowError('server_error', message, { cause: error })
}

/** The error for a run that does not exist, or that the caller may not read. */
export function runNotFound(runId: string): PgflowError {
  return new PgflowError('run_not_found', `There is no run ${runId}, or it is not yours to see.`, {
    runId,
  })
}

/** The error for a flow that does not exist. */
export function flowNotFound(flowSlug: string): PgflowError {
  return new PgflowError('flow_not_found', `There is no flow "${clip(flowSlug)}".`)
}
