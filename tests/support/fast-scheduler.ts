import type { Scheduler } from 'pinia-pgflow'

/** The real clock, `factor` times as fast: what waits for minutes is seen in seconds. */
export function fastScheduler(factor: number): Scheduler {
  return {
    now: () => performance.now() * factor,
    after(ms, task) {
      const timer = setTimeout(task, ms / factor)
      return () => clearTimeout(timer)
    },
    random: Math.random,
  }
}
