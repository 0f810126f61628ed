import { computed, shallowReactive, watch, type ComputedRef } from 'vue'
import type { StepRetry } from '../model/entities.ts'
import { usePgflowStore } from '../store/pgflow-store.ts'

/** The failed attempts at a step that another one has followed. */
export interface StepAttempts {
  /** How many failed: the most of any of its tasks. */
  count: number
  /** Why the last one failed. */
  message: string | null
  /** When they failed, in ms since 1970 by the clock of this device; only those seen to happen. */
  times: readonly number[]
}

export interface SeenAttempts {
  /** For a step, with what the store holds of it. Depends only on that step. */
  of: (slug: string) => StepAttempts | undefined
}

/** Marks of more attempts would hide each other. */
const mostTimes = 50

/**
 * Remembers failed attempts for as long as the component lives: the store holds the last one, and
 * only while the step is tried again.
 */
export function useAttempts(runId: ComputedRef<string | null>): SeenAttempts {
  const store = usePgflowStore()
  const seen = shallowReactive(new Map<string, StepAttempts>())
  const heldId = computed(() => (runId.value && store.runById(runId.value) ? runId.value : null))
  watch(
    heldId,
    (id) => {
      seen.clear()
      // The store drops them when a step ends.
      for (const { step_slug: slug } of id === null ? [] : store.stepsOf(id)) {
        const retry = store.retryOf(id ?? '', slug)
        if (retry) seen.set(slug, add(undefined, retry))
      }
    },
    { immediate: true },
  )
  store.onRunChange((change) => {
    if (change.kind !== 'retry' || change.run.run_id !== runId.value) return
    const slug = change.step.step_slug
    seen.set(slug, add(seen.get(slug), change.retry, Date.now()))
  })
  return {
    of(slug) {
      const known = seen.get(slug)
      const retry = runId.value === null ? undefined : store.retryOf(runId.value, slug)
      return retry ? add(known, retry) : known
    },
  }
}

function add(known: StepAttempts | undefined, retry: StepRetry, at?: number): StepAttempts {
  const times = known?.times ?? []
  return {
    count: Math.max(known?.count ?? 0, retry.attempts_count),
    message: retry.error_message,
    times: at === undefined ? times : [...times, at].slice(-mostTimes),
  }
}
