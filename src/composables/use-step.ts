import { computed, toValue, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import type { PlainError } from '../errors.ts'
import type { AnyFlow, StepOf, StepSlug } from '../flow-types.ts'
import { stepKey, type RunConnection, type StepRetry } from '../model/entities.ts'
import { taskProgressOf, type Progress } from '../model/progress.ts'
import { ownValue } from '../model/own-value.ts'
import { usePgflowStore } from '../store/pgflow-store.ts'
import { readRunId } from './given-run-id.ts'
import { createRunView, observeRunInScope } from './run-view.ts'

/** What `useStep` returns. */
export interface UseStepReturn<Flow extends AnyFlow, Slug extends StepSlug<Flow>> {
  /** The step, or null while the store does not hold it. */
  step: ComputedRef<StepOf<Flow, Slug> | null>
  /** The progress of its tasks; null while the store does not hold it. */
  tasks: ComputedRef<Progress | null>
  /** The connection status; `idle` while there is no run. */
  connection: ComputedRef<RunConnection>
  /** The last failed attempt, while the step is being retried. */
  retry: ComputedRef<StepRetry | null>
  /**
   * Why the run cannot be shown, is not live, or the output is invalid; null if there is no error.
   */
  error: ComputedRef<PlainError | null>
}

/**
 * Follows one step of a run while the component is mounted. Changes of other steps do not render
 * again. All observers of the run share its channel.
 *
 * @typeParam Flow - the flow, for a typed output: `typeof AnalyzeText`.
 * @typeParam Slug - the step's slug again, as TypeScript cannot infer it beside a given flow.
 * @param id - the run's id: a text, a ref or a getter.
 * @param stepSlug - the step's slug, or a ref or getter of it.
 * @example
 * const { step } = useStep<typeof AnalyzeText, 'summary'>(() => props.runId, 'summary')
 */
export function useStep<
  Flow extends AnyFlow = AnyFlow,
  Slug extends StepSlug<Flow> = StepSlug<Flow>,
>(
  id: MaybeRefOrGetter<string | null | undefined>,
  stepSlug: MaybeRefOrGetter<Slug>,
): UseStepReturn<Flow, Slug>
export function useStep(
  id: MaybeRefOrGetter<string | null | undefined>,
  stepSlug: MaybeRefOrGetter<string>,
) {
  const { runId, idError } = readRunId(id)
  observeRunInScope(runId)
  const { step, connection } = createRunView(runId, idError)
  const store = usePgflowStore()
  const key = computed(() => (runId.value === null ? '' : stepKey(runId.value, toValue(stepSlug))))
  const row = computed(() => step(toValue(stepSlug)))
  return {
    step: row,
    tasks: computed(() => row.value && taskProgressOf(row.value)),
    connection,
    retry: computed(() => ownValue(store.retries, key.value) ?? null),
    error: computed(
      () => connection.value.error ?? ownValue(store.outputErrors, key.value) ?? null,
    ),
  }
}
