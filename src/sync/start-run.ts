import { PgflowError, toPgflowError } from '../errors.ts'
import type { Json, RunSnapshot } from '../model/entities.ts'
import { backoff } from '../model/scheduler.ts'
import { pause } from './deadline.ts'
import type { SyncContext } from './types.ts'

/** What a start may be given. */
export interface StartRequest {
  flowSlug: string
  input: Json
  /** Gives up waiting, not starting: the run may exist all the same. */
  signal?: AbortSignal | undefined
  /** In ms, repetitions included. */
  timeout?: number | undefined
}

/**
 * Starts a run, again and again until there is an answer or the signal fires. Repeating is safe:
 * the database returns the run that an earlier attempt has started.
 * @param onFailure - told why an attempt failed that will be repeated.
 */
export async function startRepeatedly(
  { transport, scheduler }: SyncContext,
  runId: string,
  { flowSlug, input }: StartRequest,
  signal: AbortSignal,
  onFailure: (error: PgflowError) => void,
): Promise<RunSnapshot> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await transport.startFlow(flowSlug, input, runId, signal)
    } catch (thrown) {
      const error = toPgflowError(thrown)
      if (signal.aborted || !error.isTransient) throw error
      onFailure(error)
      await pause(scheduler, backoff(attempt, scheduler.random), signal)
    }
  }
}

/** A start that ran out of time, by the name of what kept it from succeeding, where that is known. */
export function explainTimeout(error: unknown, reason: PgflowError | null, ms: number): unknown {
  if (!reason || !(error instanceof PgflowError) || error.code !== 'timeout') return error
  return new PgflowError(reason.code, `${reason.message} It was tried for ${ms} ms.`, {
    hint: reason.hint ?? undefined,
    cause: reason.cause ?? reason,
  })
}
