import type { Json, StepRetry } from '../model/entities.ts'

/** A task: one execution of a step, or of a map step for one element. */
export interface Task {
  isDone: boolean
  /** Attempts so far; the one under way counts. */
  attempts: number
  /** Of the last attempt that failed. */
  error: string | null
  output: Json
}

/** Tasks that start now. */
export function newTasks(count: number): Task[] {
  return Array.from({ length: count }, () => ({
    isDone: false,
    attempts: 1,
    error: null,
    output: null,
  }))
}

/**
 * Whether another fiftieth of `all` is reached between two counts: then a map step sends a message.
 */
export function reachesFiftieth(before: number, after: number, all: number): boolean {
  return Math.floor((before * 50) / all) !== Math.floor((after * 50) / all)
}

/** The task that was tried most often and is tried again. */
export function retryOf(tasks: readonly Readonly<Task>[]): StepRetry | null {
  const again = tasks
    .map((task, task_index) => ({ ...task, task_index }))
    .filter(({ isDone, attempts }) => !isDone && attempts > 1)
  const [first] = again.sort((a, b) => b.attempts - a.attempts)
  if (!first) return null
  const { task_index, attempts, error: error_message } = first
  return { task_index, attempts_count: attempts - 1, error_message }
}
