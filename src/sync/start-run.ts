import { toPgflowError } from '../errors.ts'
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
 */
export async function startRepeatedly(
  { transport, scheduler }: SyncContext,
  runId: string,
  { flowSlug, input }: StartRequest,
  signal: AbortSignal,
): Promise<RunSnapshot> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await transport.startFlow(flowSlug, input, runId, signal)
    } catch (error) {
      if (signal.aborted || !toPgflowError(error).isTransient) throw error
      await pause(scheduler, backoff(attempt, scheduler.random), signal)
    }
  }
}
