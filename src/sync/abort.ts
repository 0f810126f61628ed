import { PgflowError } from '../errors.ts'
import type { Scheduler } from '../model/scheduler.ts'

/**
 * Calls `onAbort` once when `signal` fires, or at once if it has. The returned function removes the
 * listener.
 */
export function listenToAbort(
  signal: AbortSignal | undefined,
  onAbort: (reason: PgflowError) => void,
): () => void {
  if (!signal) return () => {}
  const abort = () => {
    const cause: unknown = signal.reason
    const isOurs = cause instanceof PgflowError
    onAbort(isOurs ? cause : new PgflowError('aborted', 'The call was aborted.', { cause }))
  }
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}

/**
 * Runs `work` until it is done or any of the signals fires. The wait ends even if `work` ignores its
 * own signal.
 * @throws PgflowError the reason of the signal, or whatever `work` throws.
 */
export async function abortable<T>(
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const stops: (() => void)[] = []
  const aborted = new Promise<never>((_, reject) => {
    for (const signal of signals) {
      stops.push(
        listenToAbort(signal, (reason) => {
          controller.abort(reason)
          reject(reason)
        }),
      )
    }
  })
  try {
    if (controller.signal.aborted) return await aborted
    return await Promise.race([work(controller.signal), aborted])
  } finally {
    for (const stop of stops) stop()
  }
}

/** A signal that fires after `ms`, unless `stop` is called first. */
export function createDeadline(scheduler: Scheduler, ms: number) {
  const timer = new AbortController()
  const stop = scheduler.after(ms, () => {
    timer.abort(new PgflowError('timeout', 'The server did not respond in time.'))
  })
  return { signal: timer.signal, stop }
}

/**
 * Runs `work` with a signal that fires after `ms`, or when any of `outer` fires.
 * @throws PgflowError `timeout`, `aborted`, or whatever `work` throws.
 */
export async function withTimeout<T>(
  scheduler: Scheduler,
  ms: number,
  outer: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, stop } = createDeadline(scheduler, ms)
  try {
    return await abortable([signal, ...outer], work)
  } finally {
    stop()
  }
}

/**
 * Waits `ms`.
 * @param onWait - given a function that ends the wait early.
 * @throws PgflowError the reason of `signal` if that fires first.
 */
export function pause(
  scheduler: Scheduler,
  ms: number,
  signal: AbortSignal,
  onWait?: (end: () => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let stop = () => {}
    const finish = () => {
      cancel()
      stop()
      resolve()
    }
    const cancel = scheduler.after(ms, finish)
    stop = listenToAbort(signal, (reason) => {
      cancel()
      reject(reason)
    })
    onWait?.(finish)
  })
}
