import { defineStore } from 'pinia'
import { usePgflowStore, type PgflowStep, type StepRetry } from 'pinia-pgflow'
import { ref } from 'vue'

/** An attempt that failed and was repeated, as this page heard of it. */
export interface FailedAttempt {
  /** Which of the step's tasks, from 0. */
  task: number
  /** Which attempt it was, from 1. */
  attempt: number
  reason: string
}

/**
 * The failed attempts that were heard of while a run was followed. The database keeps the last one
 * only, and only until the step ends.
 */
export const useAttempts = defineStore('attempts', () => {
  const byStep = ref(new Map<string, FailedAttempt[]>())

  usePgflowStore().onRunChange((change) => {
    if (change.kind === 'retry') note(change.step, change.retry)
  })

  /** Keeps an attempt that failed, once. */
  function note(step: Pick<PgflowStep, 'run_id' | 'step_slug'>, retry: StepRetry): void {
    const { task_index: task, attempts_count: attempt, error_message } = retry
    const known = of(step.run_id, step.step_slug)
    if (known.some((each) => each.task === task && each.attempt === attempt)) return
    const reason = error_message ?? 'It gave no reason.'
    byStep.value.set(keyOf(step.run_id, step.step_slug), [...known, { task, attempt, reason }])
  }

  /** Those of one step, the oldest first. */
  const of = (runId: string, stepSlug: string): readonly FailedAttempt[] =>
    byStep.value.get(keyOf(runId, stepSlug)) ?? []

  return { byStep, note, of }
})

function keyOf(runId: string, stepSlug: string): string {
  return `${runId}/${stepSlug}`
}
