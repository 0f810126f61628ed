import { computed, shallowRef, type ComputedRef, type ShallowRef } from 'vue'
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
import { toJson } from '../model/json.ts'
import { isSameJson } from '../model/merge.ts'
import { createRunId } from '../model/run-id.ts'
import { usePgflowStore, type StartOptions } from '../store.ts'
import { useRunHooks, type RunHooks } from './run-hooks.ts'
import { createRunView, observeRunInScope, type RunView } from './run-view.ts'

/** What `useFlow` returns. */
export interface UseFlowReturn<Flow extends AnyFlow = AnyFlow> extends RunView<Flow> {
  /**
   * Starts a run and follows it live while the component is mounted. When the last start, of the
   * same input, got no answer or still waits for it, this continues that one instead of starting
   * another run. A start that fails leaves the run that was shown before.
   * @throws PgflowError also kept in `error`: a template may ignore it.
   */
  start: (input: FlowInput<Flow>, options?: StartOptions) => Promise<RunOf<Flow>>
  /** The id of the run that is shown; null before the first start. */
  runId: Readonly<ShallowRef<string | null>>
  /** The status of the run that is shown; `idle` before the first start. */
  status: ComputedRef<RunStatus | 'idle'>
  /** Whether a start is waiting for its answer. */
  isPending: Readonly<ShallowRef<boolean>>
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
 * @param hooks - called when something happens to the run that is shown.
 * @example
 * const { start, steps, status, error } = useFlow<typeof AnalyzeText>('analyze_text')
 * await start({ text: 'Hello' })
 */
export function useFlow<Flow extends AnyFlow = never>(
  flowSlug: UnlessRegistered<Flow>,
  hooks?: RunHooks<Flow>,
): UseFlowReturn<Flow>
export function useFlow<Slug extends FlowSlug>(
  flowSlug: Slug,
  hooks?: RunHooks<FlowOf<Slug>>,
): UseFlowReturn<FlowOf<Slug>>
export function useFlow(flowSlug: string, hooks: RunHooks = {}) {
  const store = usePgflowStore()
  const runId = shallowRef<string | null>(null)
  const error = shallowRef<PgflowError | null>(null)
  const isPending = shallowRef(false)
  /** What `runId` says, to be read where nothing may come to depend on it. */
  let shown: string | null = null
  /** The start that got no answer, to be continued. */
  let unanswered: { runId: string; input: Json } | null = null
  let latest = 0
  const shownId = computed(() => runId.value)
  observeRunInScope(shownId)
  useRunHooks(() => shown, hooks)
  const view = createRunView(shownId)

  function show(id: string | null): void {
    shown = id
    runId.value = id
  }

  async function start(input: Json, options: StartOptions = {}): Promise<PgflowRun> {
    const attempt = ++latest
    const before = shown
    let id: string | undefined
    error.value = null
    isPending.value = true
    try {
      const json = toJson(input)
      const isAgain = unanswered !== null && isSameJson(unanswered.input, json)
      id = options.runId ?? (isAgain ? unanswered?.runId : undefined) ?? createRunId()
      unanswered = { runId: id, input: json }
      const runId = id
      // Shown only when it is in the store: observing then shares the channel of the start.
      const onBegin = () => attempt === latest && show(runId)
      const begun = { ...options, runId, onBegin }
      const run = await store.startFlow<AnyFlow>(flowSlug, json, begun)
      if (attempt === latest) unanswered = null
      return run
    } catch (thrown) {
      const failure = toPgflowError(thrown)
      if (attempt === latest) {
        if (!failure.isTransient && failure.code !== 'aborted') unanswered = null
        error.value = failure
        // The run that was shown before is as good as ever.
        if (shown === id && before !== id) show(before)
      }
      throw failure
    } finally {
      if (attempt === latest) isPending.value = false
    }
  }

  function reset(): void {
    latest += 1
    unanswered = null
    isPending.value = false
    show(null)
    error.value = null
  }

  return {
    ...view,
    start,
    runId,
    status: computed(() => view.run.value?.status ?? 'idle'),
    isPending,
    error,
    reset,
  }
}
