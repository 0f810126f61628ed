import { PgflowError, toPgflowError } from '../errors.ts'
import type { Json, RunSnapshot } from '../model/entities.ts'
import { backoff } from '../model/scheduler.ts'
import { pause } from './deadline.ts'
import type { FlightRequest, Flights } from './flights.ts'
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
async function startRepeatedly(
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

/**
 * Starts a run by a flight of its own, after whatever is under way for the run.
 * @throws PgflowError
 */
export async function flyStart(
  context: SyncContext,
  runId: string,
  flights: Flights,
  request: StartRequest,
): Promise<void> {
  const { scheduler, times } = context
  const timeout = request.timeout ?? times.startTimeout
  const began = scheduler.now()
  const left = () => Math.max(0, timeout - (scheduler.now() - began))
  while (flights.current) await flights.settled(left(), request.signal)
  let reason: PgflowError | null = null
  const send: FlightRequest = (signal, onSend) => {
    onSend()
    return startRepeatedly(context, runId, request, signal, (error) => {
      reason = error
    })
  }
  try {
    await flights.launch(send, left(), true, request.signal)
  } catch (error) {
    throw explainTimeout(error, reason, timeout)
  }
}

/** A start that ran out of time, by the name of what kept it from succeeding, where that is known. */
function explainTimeout(error: unknown, reason: PgflowError | null, ms: number): unknown {
  if (!reason || !(error instanceof PgflowError) || error.code !== 'timeout') return error
  return new PgflowError(reason.code, `${reason.message} It was tried for ${ms} ms.`, {
    hint: reason.hint ?? undefined,
    cause: reason.cause ?? reason,
  })
}
