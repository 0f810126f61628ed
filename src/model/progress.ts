import type { PgflowStep } from './entities.ts'
import { isTerminal } from './entities.ts'

/** How far a run is. */
export interface RunProgress {
  /** Steps the run has. */
  total: number
  /** Steps that will not change any more, whatever their outcome. */
  done: number
  /** From 0 to 1, counting the finished tasks of map steps that are under way. */
  fraction: number
}

/** Counts how far the steps are. An empty list is at 0. */
export function progressOf(steps: readonly PgflowStep<unknown>[]): RunProgress {
  let done = 0
  let weight = 0
  for (const step of steps) {
    if (isTerminal(step.status)) {
      done += 1
      weight += 1
    } else if (step.initial_tasks && step.remaining_tasks !== null) {
      weight += 1 - step.remaining_tasks / step.initial_tasks
    }
  }
  return { total: steps.length, done, fraction: steps.length === 0 ? 0 : weight / steps.length }
}
