/** Time and randomness, replaceable by tests and simulations. */
export interface Scheduler {
  /** A monotonic clock in ms; only differences count. */
  now: () => number
  /** Calls `task` once after `ms`, unless the returned function is called before. */
  after: (ms: number, task: () => void) => () => void
  /** A number from 0 (inclusive) to 1 (exclusive). */
  random: () => number
}

/**
 * The longest delay of setTimeout, which runs longer ones at once. Longer delays never end here.
 */
const longestTimeout = 2_147_483_647

/** The scheduler of the platform. */
export function systemScheduler(): Scheduler {
  return {
    // Looked up at each call: a test may install a fake clock.
    now: () => performance.now(),
    after(ms, task) {
      if (ms > longestTimeout) return () => {}
      const timer = setTimeout(task, ms)
      return () => clearTimeout(timer)
    },
    random: () => Math.random(),
  }
}

/** How long to wait between attempts, in ms. The last value repeats. */
export const backoffSteps = [500, 1_000, 2_000, 5_000, 10_000, 30_000] as const

/**
 * The wait before attempt number `attempt` (from 0), ± 25 %, so that clients that failed together
 * do not retry together.
 */
export function backoff(attempt: number, random: () => number): number {
  const base = backoffSteps[Math.min(attempt, backoffSteps.length - 1)] ?? 30_000
  return base * (0.75 + random() / 2)
}
