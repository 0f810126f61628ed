/** Time and chance, so that tests and simulations can decide both. */
export interface Scheduler {
  /** Milliseconds since some moment, of a clock that nobody sets; only differences count. */
  now: () => number
  /** Calls `task` once after `ms`; the returned function takes it back. */
  after: (ms: number, task: () => void) => () => void
  /** A number from 0 up to 1. */
  random: () => number
}

/** setTimeout takes no more, and would fire at once; longer means never. */
const longestTimeout = 2_147_483_647

/** The real clock and the real dice. */
export function systemScheduler(): Scheduler {
  return {
    // Looked up at each call: a test may put a fake clock in its place.
    now: () => performance.now(),
    after(ms, task) {
      if (ms > longestTimeout) return () => {}
      const timer = setTimeout(task, ms)
      return () => clearTimeout(timer)
    },
    random: () => Math.random(),
  }
}

/** How long to wait between attempts, in ms; the last value repeats. */
export const backoffSteps = [500, 1_000, 2_000, 5_000, 10_000, 30_000] as const

/**
 * The wait before attempt number `attempt` (from 0), ± 25 %: clients that failed together do not
 * come back together.
 */
export function backoff(attempt: number, random: () => number): number {
  const base = backoffSteps[Math.min(attempt, backoffSteps.length - 1)] ?? 30_000
  return base * (0.75 + random() / 2)
}
