import { effectScope, watch } from 'vue'
import { PgflowError } from '../errors.ts'
import { isTerminal, type PgflowRun, type RunConnection } from '../model/entities.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { RunObservation } from '../sync/runs.ts'

/** How long to wait for the end of a run. */
export interface WaitOptions {
  /** In ms; without it, as long as the run takes. */
  timeout?: number | undefined
  /** Ends the wait; the run continues. */
  signal?: AbortSignal | undefined
}

/** What waiting needs from the store. */
interface WaitContext {
  observe: () => RunObservation
  run: () => PgflowRun | undefined
  connection: () => RunConnection | undefined
  scheduler: Scheduler
}

/**
 * Waits until a run has ended and all of it is in the store, which `closed` means. Observes it for
 * as long as it waits.
 */
export function waitForEnd(
  runId: string,
  { observe, run, connection, scheduler }: WaitContext,
  { timeout, signal }: WaitOptions,
): Promise<PgflowRun> {
  return new Promise((resolve, reject) => {
    const cleanups: (() => void)[] = []
    const finish = (end: () => void) => {
      for (const cleanup of cleanups.splice(0)) cleanup()
      end()
    }
    const fail = (error: PgflowError) => finish(() => reject(error))
    const abort = () => {
      const message = 'The wait was ended; the run goes on.'
      fail(new PgflowError('aborted', message, { runId, cause: signal?.reason }))
    }
    const abandon = () => {
      fail(new PgflowError('aborted', 'The run is not followed any more.', { runId }))
    }
    if (signal?.aborted) return abort()
    // First, because it may throw, and then nothing has to be undone.
    cleanups.push(observe().release)
    signal?.addEventListener('abort', abort)
    cleanups.push(() => signal?.removeEventListener('abort', abort))
    if (timeout !== undefined) {
      const message = `The run has not ended within ${timeout} ms; it goes on.`
      cleanups.push(
        scheduler.after(timeout, () => fail(new PgflowError('timeout', message, { runId }))),
      )
    }
    let isDone = false
    cleanups.push(() => (isDone = true))
    const isFollowed = () => (connection()?.status ?? 'idle') !== 'idle'
    const check = () => {
      const current = run()
      const { status, error } = connection() ?? {}
      // It was removed, or the app is gone. After a reset it is followed again by then.
      if (!isFollowed()) queueMicrotask(() => isDone || isFollowed() || abandon())
      if (status !== 'closed') return
      if (error) {
        fail(new PgflowError(error.code, error.message, { runId, hint: error.hint }))
      } else if (current?.status === 'completed') finish(() => resolve(current))
      else if (current && isTerminal(current.status)) fail(failureOf(current))
    }
    // A scope of its own: the end of a component's scope would stop the watcher and leave the run
    // observed.
    const scope = effectScope(true)
    cleanups.push(() => scope.stop())
    scope.run(() => watch(() => connection()?.status, check, { flush: 'sync' }))
    check()
  })
}

function failureOf(run: PgflowRun): PgflowError {
  const reason = run.error_message ?? `its status is ${run.status}`
  return new PgflowError('run_failed', `The run ${run.flow_slug} failed: ${reason}`, {
    runId: run.run_id,
  })
}
