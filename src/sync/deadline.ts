import { PgflowError } from '../errors.ts'
import type { Scheduler } from '../model/scheduler.ts'

/**
 * Runs `work` with a signal that fires after `ms` or with any of `outer`, and does not wait for
 * work that ignores its signal: nothing hangs.
 * @throws PgflowError `timeout` or `aborted`, or whatever `work` throws.
 */
export async function withDeadline<T>(
  scheduler: Scheduler,
  ms: number,
  outer: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const { signal } = controller
  const cancelTimer = scheduler.after(ms, () => {
    const message = 'The server did not answer in time.'
    controller.abort(new PgflowError('timeout', message))
  })
  const undo = outer.map((source) => {
    if (!source) return () => {}
    const abort = () => {
      const cause: unknown = source.reason
      const isOurs = cause instanceof PgflowError
      controller.abort(
        isOurs ? cause : new PgflowError('aborted', 'The call was aborted.', { cause }),
      )
    }
    source.addEventListener('abort', abort)
    if (source.aborted) abort()
    return () => source.removeEventListener('abort', abort)
  })
  try {
    if (signal.aborted) return await rejectedBy(signal)
    return await Promise.race([work(signal), rejectedBy(signal)])
  } finally {
    cancelTimer()
    for (const stop of undo) stop()
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => {
      reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)))
    }
    if (signal.aborted) fail()
    else signal.addEventListener('abort', fail, { once: true })
  })
}

/** Waits `ms`, or rejects with the reason of `signal` if that fires first. */
export async function pause(scheduler: Scheduler, ms: number, signal: AbortSignal): Promise<void> {
  let cancel = () => {}
  const waited = new Promise<void>((resolve) => {
    cancel = scheduler.after(ms, resolve)
  })
  try {
    await Promise.race([waited, rejectedBy(signal)])
  } finally {
    cancel()
  }
}
