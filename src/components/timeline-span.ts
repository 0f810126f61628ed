import { isTerminal, type PgflowRun, type PgflowStep } from '../model/entities.ts'
import { timeOf } from './durations.ts'

/** The stretch of time that a timeline shows, in ms. */
export interface TimelineSpan {
  /** When it begins, in ms since 1970. */
  start: number
  /** How long it is; never 0. */
  length: number
}

type Timed = Pick<PgflowStep, 'status' | 'started_at' | 'completed_at' | 'failed_at'> &
  Partial<Pick<PgflowStep, 'skipped_at'>>

/** When a row ended; null if it has not, or if that is not known. */
export function endOf(row: Timed): number | null {
  return timeOf(row.completed_at) ?? timeOf(row.failed_at) ?? timeOf(row.skipped_at)
}

/** From the start of a run to its end, or to now; null before it has started. */
export function spanOf(
  run: PgflowRun,
  steps: readonly PgflowStep[],
  now: number | null,
): TimelineSpan | null {
  let start = timeOf(run.started_at) ?? Infinity
  let end = endOf(run) ?? -Infinity
  for (const step of steps) {
    const from = timeOf(step.started_at)
    start = Math.min(start, from ?? Infinity)
    end = Math.max(end, from ?? -Infinity, endOf(step) ?? -Infinity)
  }
  // The clock of the device may be behind that of the database: ended steps are shown whole.
  if (!isTerminal(run.status)) end = Math.max(end, now ?? -Infinity)
  if (start === Infinity) return null
  return { start, length: Math.max(1, end - start) }
}

/** A round length for the marks of an axis with about `marks` of them. */
export function markEvery(length: number, marks: number): number {
  const least = Math.max(1, length / marks)
  const size = units.findLast((unit) => unit <= least) ?? 1
  const factor = [1, 2, 5, 10, 15, 30].find((each) => size * each >= least) ?? 60
  return size * factor
}

const units = [1, 10, 100, 1000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000, 86_400_000]
