import { isTerminal, type PgflowRun, type PgflowStep } from './entities.ts'

/** How many of something there are, and how many of them are done. */
export interface Progress {
  total: number
  done: number
  /** From 0 to 1. */
  fraction: number
}

/** How far a run is: its steps, and the tasks of its map steps. */
export interface RunProgress extends Progress {
  /** Steps that will not change any more and did not complete: these failed… */
  failed: number
  /** …and these were skipped. */
  skipped: number
}

/**
 * How far the tasks of a step are: those of a map step, or the one of any other. While a map step
 * does not know yet how many it has, `total` is 0.
 *
 * @example
 * const { done, total } = taskProgressOf(step)
 */
export function taskProgressOf(step: PgflowStep<unknown>): Progress {
  const { status, initial_tasks, remaining_tasks } = step
  const total = initial_tasks ?? 0
  if (isTerminal(status) && status !== 'failed') return { total, done: total, fraction: 1 }
  const done = remaining_tasks === null ? 0 : total - remaining_tasks
  return { total, done, fraction: total === 0 ? 0 : done / total }
}

/** Counts how far the steps are, the finished tasks of those under way included. */
export function progressOf(steps: readonly PgflowStep<unknown>[]): RunProgress {
  const countOf = (status: string) => steps.filter((step) => step.status === status).length
  const done = steps.filter((step) => isTerminal(step.status)).length
  const weight = steps.reduce(
    (sum, step) => sum + (isTerminal(step.status) ? 1 : taskProgressOf(step).fraction),
    0,
  )
  return {
    total: steps.length,
    done,
    failed: countOf('failed'),
    skipped: countOf('skipped'),
    fraction: steps.length === 0 ? 0 : weight / steps.length,
  }
}

/**
 * How long a run or step took, or has taken until `now`, in ms; null before it has started. The
 * start is by the clock of the database: what it has taken until now is never shown below 0.
 *
 * @param now - in ms since 1970; pass a ref that ticks for a time that runs.
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
