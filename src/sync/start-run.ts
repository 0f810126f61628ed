import { PgflowError, toPgflowError } from '../errors.ts'
import type { Json, RunSnapshot } from '../model/entities.ts'
import { backoff } from '../model/scheduler.ts'
import { abortable, createDeadline, pause } from './abort.ts'
import type { RunResource } from './runs.ts'
import type { SyncContext } from './types.ts'

/** What a start may be given. */
export interface StartRequest {
  flowSlug: string
  input: Json
  /** Gives up waiting, not starting: the run may exist all the same. */
  signal?: AbortSignal | undefined
  /** In ms, repetitions included. */
  timeout?: number | undefined
  /** Called once this call is known to have started the run, or an earlier attempt at the same. */
  onStarted?: () => void
}

/**
 * Starts a run. Joining and the RPC go out together, where the channel allows it.
 * @throws PgflowError
 */
export async function startRun(
  context: SyncContext,
  resource: RunResource,
  request: StartRequest,
): Promise<void> {
  const { state, transport } = context
  const { source } = resource
  const wasShown = source.isShown
  state.begin(source.key, request.flowSlug, request.input)
  const endStart = source.beginStart()
  resource.openForStart(transport.joinsBeforeStart)
  let failure: PgflowError
  try {
    await submitStart(context, resource, request)
    request.onStarted?.()
    resource.subscribe()
    return
  } catch (error) {
    failure = toPgflowError(error).about(source.key)
  } finally {
    endStart()
    if (!resource.signal.aborted) resource.startSettled()
  }
  if (resource.signal.aborted) throw failure
  // It was started, as a broadcast or a read says: only the reply is lost.
  if (failure.isTransient && source.isShown) {
    // What was there before may be somebody else's.
    if (!wasShown) request.onStarted?.()
    return
  }
  if (source.isNothing) resource.failStart(failure)
  throw failure
}

/** Submits a start: again and again until there is an answer, or the time is over. */
async function submitStart(
  context: SyncContext,
  resource: RunResource,
  request: StartRequest,
): Promise<void> {
  const { scheduler, times } = context
  const { timeout = times.startTimeout, signal } = request
  let reason: PgflowError | null = null
  const deadline = createDeadline(scheduler, timeout)
  const ends = [signal, deadline.signal, resource.signal]
  const attempt = (ended: AbortSignal) =>
    startRepeatedly(context, resource.source.key, request, ended, (error) => {
      reason = error
    })
  try {
    await resource.submit(() => abortable(ends, attempt), ends)
  } catch (error) {
    throw explainTimeout(error, reason, timeout)
  } finally {
    deadline.stop()
  }
}

/**
 * Starts a run until there is an answer or the signal fires. Repeating is safe: the database
 * returns the run that an earlier attempt has started.
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

/** A start that ran out of time, by the name of what kept it from succeeding, where that is known. */
function explainTimeout(error: unknown, reason: PgflowError | null, ms: number): unknown {
  if (!reason || !(error instanceof PgflowError) || error.code !== 'timeout') return error
  return new PgflowError(reason.code, `${reason.message} It was tried for ${ms} ms.`, {
    hint: reason.hint,
    cause: reason.cause ?? reason,
  })
}
