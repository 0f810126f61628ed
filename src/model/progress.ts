import { isTerminal, type PgflowRun, type PgflowStep } from './entities.ts'

/** How many steps or tasks there are, by their outcome. */
export interface Progress {
  total: number
  completed: number
  /**
   * For the tasks of a step at most 1: the step fails with the first task that has no attempt left,
   * and pgflow does not continue the others.
   */
  failed: number
  skipped: number
  /** Those that have ended, whatever their outcome. */
  done: number
  /** The part that is done, from 0 to 1. */
  fraction: number
}

/**
 * The progress of a step by its tasks. `total` is 0 while it is open how many tasks a map step has.
 *
 * @example
 * const { done, total } = taskProgressOf(step)
 */
export function taskProgressOf(step: PgflowStep<unknown>): Progress {
  const { status, initial_tasks, remaining_tasks } = step
  const total = initial_tasks ?? 0
  const skipped = status === 'skipped' ? total : 0
  const left = status === 'completed' ? 0 : (remaining_tasks ?? total)
  const completed = skipped ? 0 : total - left
  const failed = status === 'failed' ? Math.min(1, left) : 0
  const done = completed + failed + skipped
  const isOver = isTerminal(status) && status !== 'failed'
  const fraction = isOver ? 1 : total === 0 ? 0 : done / total
  return { total, completed, failed, skipped, done, fraction }
}

/** Adds up the progress of several parts. */
export function addUp(parts: readonly Progress[]): Progress {
  const sum = { total: 0, completed: 0, failed: 0, skipped: 0, done: 0, fraction: 0 }
  for (const part of parts) {
    for (const count of ['total', 'completed', 'failed', 'skipped', 'done'] as const) {
      sum[count] += part[count]
    }
    sum.fraction += part.fraction * part.total
  }
  sum.fraction /= Math.max(1, sum.total)
  return sum
}

/**
 * The progress of a run by its steps. `fraction` includes the finished tasks of steps under way.
 */
export function progressOf(steps: readonly PgflowStep<unknown>[]): Progress {
  return addUp(
    steps.map((step) => {
      const has = (status: string) => Number(step.status === status)
      const done = Number(isTerminal(step.status))
      return {
        total: 1,
        completed: has('completed'),
        failed: has('failed'),
        skipped: has('skipped'),
        done,
        fraction: done || taskProgressOf(step).fraction,
      }
    }),
  )
}

/**
 * How long a run or step took, or has taken until `now`, in ms; null before it has started. Never
 * negative: the start is by the clock of the database, which may be ahead of `now`.
 *
 * @param now - in ms since 1970; pass a ref that ticks to show a running time.
 * @example
 * const seconds = (durationOf(run) ?? 0) / 1000
 */
export function durationOf(
  row: Pick<PgflowRun | PgflowStep, 'started_at' | 'completed_at' | 'failed_at'>,
  now: number = Date.now(),
): number | null {
  if (row.started_at === null) return null
  const end = row.completed_at ?? row.failed_at
  return Math.max(0, (end === null ? now : Date.parse(end)) - Date.parse(row.started_at))
}
