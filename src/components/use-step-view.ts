import { computed, type ComputedRef } from 'vue'
import { durationOf } from '../model/progress.ts'
import { usePgflowStore } from '../store/pgflow-store.ts'
import { formatDuration } from './durations.ts'
import { viewStep, type StepView } from './step-texts.ts'
import type { SeenAttempts } from './use-attempts.ts'

/** The props of a component that shows one step. */
export interface StepProps {
  runId: string
  slug: string
  isMap: boolean
  attempts: SeenAttempts
}

/** What a component shows of one step. Depends only on that step. */
export function useStepView(props: StepProps): {
  view: ComputedRef<StepView>
  /** How long the step took, once it has ended. */
  took: ComputedRef<string | null>
} {
  const store = usePgflowStore()
  const view = computed(() =>
    viewStep(
      props.slug,
      store.stepOf(props.runId, props.slug),
      props.attempts.of(props.slug),
      props.isMap,
    ),
  )
  const took = computed(() => {
    const { step } = view.value
    if (!step || (step.completed_at ?? step.failed_at) === null) return null
    const duration = durationOf(step)
    return duration === null || Number.isNaN(duration) ? null : formatDuration(duration)
  })
  return { view, took }
}
