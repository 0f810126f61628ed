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
  /** Ends the wait, not the start: the run may have been started all the same. */
  signal?: AbortSignal | undefined
  /** In ms, retries included. */
  timeout?: number | undefined
  /** Called once it is certain that this call, or an earlier attempt, has started the run. */
  onStarted?: () => void
}

/**
 * Starts a run. The join and the RPC are sent together, where the channel allows it.
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
    if (!resource.signal.aborted) resource.afterStart()
  }
  if (resource.signal.aborted) throw failure
  // A broadcast or a snapshot shows that it was started: only the response was lost.
  if (failure.isTransient && source.isShown) {
    // A run that was shown before may have been started by somebody else.
    if (!wasShown) request.onStarted?.()
    return
  }
  if (source.isNothing) resource.failStart(failure)
  throw failure
}

/** Submits a start, and retries until it succeeds, is refused, or the timeout is over. */
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
 * Retries a start until there is a response or the signal fires. Retrying is safe: the database
 * returns the run that an earlier attempt has started.
 * @param onFailure - called with the failure of each attempt that is retried.
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

/** Replaces a timeout by the failure of the last attempt, if there was one. */
function explainTimeout(error: unknown, reason: PgflowError | null, ms: number): unknown {
  if (!reason || !(error instanceof PgflowError) || error.code !== 'timeout') return error
  return new PgflowError(reason.code, `${reason.message} It was tried for ${ms} ms.`, {
    hint: reason.hint,
    cause: reason.cause ?? reason,
  })
}
