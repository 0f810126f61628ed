import { computed, type ComputedRef } from 'vue'
import { readRunId } from '../composables/given-run-id.ts'
import { useRun, type UseRunReturn } from '../composables/use-run.ts'
import { clip } from '../model/text.ts'

/** A text to show instead of a run, or beside it. */
export interface RunNotice {
  kind: 'none' | 'loading' | 'error' | 'outdated'
  text: string
}

export interface ViewedRun extends UseRunReturn {
  runId: ComputedRef<string | null>
  notice: ComputedRef<RunNotice | null>
}

/** Follows a run for a component, with the text to show if there is no run or it may be old. */
export function useViewedRun(given: () => string | null | undefined): ViewedRun {
  const { runId } = readRunId(given)
  const viewed = useRun(given)
  const notice = computed((): RunNotice | null => {
    const { error, status } = viewed.connection.value
    const message = error ? clip(error.message, 300) : null
    if (!viewed.run.value) {
      if (message) return { kind: 'error', text: `The run cannot be shown: ${message}` }
      if (runId.value === null) return { kind: 'none', text: 'No run is chosen.' }
      return { kind: 'loading', text: 'The run is loading.' }
    }
    if (status === 'offline' || (status === 'closed' && message)) {
      return { kind: 'outdated', text: `This may be out of date. ${message ?? ''}`.trim() }
    }
    return null
  })
  return { ...viewed, runId, notice }
}
