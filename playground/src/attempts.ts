import { defineStore } from 'pinia'
import { usePgflowStore } from 'pinia-pgflow'
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
    if (change.kind !== 'retry') return
    const { step, retry } = change
    const key = keyOf(step.run_id, step.step_slug)
    const failed = { task: retry.task_index, attempt: retry.attempts_count }
    const reason = retry.error_message ?? 'It gave no reason.'
    byStep.value.set(key, [...(byStep.value.get(key) ?? []), { ...failed, reason }])
  })

  /** Those of one step, the oldest first. */
  const of = (runId: string, stepSlug: string): readonly FailedAttempt[] =>
    byStep.value.get(keyOf(runId, stepSlug)) ?? []

  return { byStep, of }
})

function keyOf(runId: string, stepSlug: string): string {
  return `${runId}/${stepSlug}`
}
