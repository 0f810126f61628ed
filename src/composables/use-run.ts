import { computed, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import type { AnyFlow } from '../flow-types.ts'
import type { PlainError } from '../errors.ts'
import { usePgflowStore } from '../store/pgflow-store.ts'
import { readRunId } from './given-run-id.ts'
import { useRunHooks, type RunHooks } from './run-hooks.ts'
import { createRunView, observeRunInScope, type RunView } from './run-view.ts'

/** What `useRun` returns. */
export interface UseRunReturn<Flow extends AnyFlow = AnyFlow> extends RunView<Flow> {
  /**
   * Why the run cannot be shown, is not live, or has an invalid output; null if there is no error.
   */
  error: ComputedRef<PlainError | null>
  /**
   * Reads the run from the database now.
   * @throws PgflowError
   */
  refresh: () => Promise<void>
  /**
   * Resolves once the run is in the store, for `<Suspense>`.
   * @throws PgflowError
   */
  ready: Promise<void>
}

/**
 * Follows a run live while the component is mounted and shown. The id may change, or be null.
 * Components that follow the same run share one channel. An invalid id is not requested: see
 * `error`.
 *
 * @typeParam Flow - the flow, for typed input, output and steps: `typeof AnalyzeText`.
 * @param id - the run's id: a text, a ref or a getter.
 * @param hooks - called when something happens to the run.
 * @example
 * const { run, steps, connection } = useRun<typeof AnalyzeText>(() => props.runId)
 */
export function useRun<Flow extends AnyFlow = AnyFlow>(
  id: MaybeRefOrGetter<string | null | undefined>,
  hooks?: RunHooks<Flow>,
): UseRunReturn<Flow>
export function useRun(id: MaybeRefOrGetter<string | null | undefined>, hooks: RunHooks = {}) {
  const store = usePgflowStore()
  const { runId, idError } = readRunId(id)
  const observation = observeRunInScope(runId)
  useRunHooks(() => runId.value, hooks, observation.isShown)
  const view = createRunView(runId, idError)
  const refresh = async () => {
    if (idError.value) throw idError.value
    if (runId.value !== null) await store.refreshRun(runId.value)
  }
  const ready = idError.value ? refresh() : observation.ready
  // Most callers look at `error` instead.
  ready.catch(() => undefined)
  return {
    ...view,
    error: computed(() => view.connection.value.error ?? view.outputError.value),
    refresh,
    ready,
  }
}
