import { computed, ref, shallowRef, type ComputedRef, type ShallowRef } from 'vue'
import { toPgflowError, type PgflowError } from '../errors.ts'
import type {
  AnyFlow,
  FlowInput,
  FlowOf,
  FlowSlug,
  RunOf,
  UnlessRegistered,
} from '../flow-types.ts'
import type { Json, PgflowRun, RunStatus } from '../model/entities.ts'
import { isSameJson } from '../model/merge.ts'
import { usePgflowStore, type StartOptions } from '../store.ts'
import { createRunView, observeWhileInScope, type RunView } from './run-view.ts'

/** What `useFlow` returns. */
export interface UseFlowReturn<Flow extends AnyFlow = AnyFlow> extends RunView<Flow> {
  /**
   * Starts a run and follows it live while the component is mounted. When an earlier start of the
   * same input got no answer, this continues that one: the run is never started twice.
   * @throws PgflowError
   */
  start: (input: FlowInput<Flow>, options?: StartOptions) => Promise<RunOf<Flow>>
  /** The id of the run that is shown; null before the first start. */
  runId: Readonly<ShallowRef<string | null>>
  /** The status of the run that is shown; `idle` before the first start. */
  status: ComputedRef<RunStatus | 'idle'>
  /** Whether a start is waiting for its answer. */
  isPending: ComputedRef<boolean>
  /** Why the last start failed; null when it did not. A run that fails is no error: see `run`. */
  error: Readonly<ShallowRef<PgflowError | null>>
  /** Lets go of the run and forgets the error. The run itself goes on. */
  reset: () => void
}

/**
 * Starts runs of one flow and follows the latest of them live.
 *
 * @typeParam Flow - the flow, for typed input, output and steps: `typeof AnalyzeText`. Not needed
 * when the flow is registered in `PgflowFlows`.
 * @param flowSlug - the flow's slug.
 * @example
 * const { start, steps, status, error } = useFlow<typeof AnalyzeText>('analyze_text')
 * await start({ text: 'Hello' })
 */
export function useFlow<Flow extends AnyFlow = never>(
  flowSlug: UnlessRegistered<Flow>,
): UseFlowReturn<Flow>
export function useFlow<Slug extends FlowSlug>(flowSlug: Slug): UseFlowReturn<FlowOf<Slug>>
export function useFlow(flowSlug: string) {
  const store = usePgflowStore()
  const runId = shallowRef<string | null>(null)
  const error = shallowRef<PgflowError | null>(null)
  const pending = ref(0)
  /** The start that got no answer, to be continued. */
  let unanswered: { runId: string; input: Json } | null = null
  let latest = 0
  const shownId = computed(() => runId.value)
  observeWhileInScope(shownId)
  const view = createRunView(shownId)

  async function start(input: Json, options: StartOptions = {}): Promise<PgflowRun> {
    const attempt = ++latest
    const isAgain = unanswered !== null && isSameJson(unanswered.input, input)
    const id = options.runId ?? (isAgain ? unanswered?.runId : undefined) ?? crypto.randomUUID()
    error.value = null
    pending.value += 1
    try {
      const started = store.startFlow<AnyFlow>(flowSlug, input, { ...options, runId: id })
      // Only now, and only if it has begun: observing then shares the channel of the start.
      if (store.runById(id)) runId.value = id
      const run = await started
      if (attempt === latest) unanswered = null
      return run
    } catch (thrown) {
      const failure = toPgflowError(thrown)
      if (attempt === latest) {
        unanswered = failure.isTransient || failure.code === 'aborted' ? { runId: id, input } : null
        error.value = failure
        if (!store.runById(id)) runId.value = null
      }
      throw failure
    } finally {
      pending.value -= 1
    }
  }

  function reset(): void {
    latest += 1
    unanswered = null
    runId.value = null
    error.value = null
  }

  return {
    ...view,
    start,
    runId,
    status: computed(() => view.run.value?.status ?? 'idle'),
    isPending: computed(() => pending.value > 0),
    error,
    reset,
  }
}
