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
import { isSameJson, toJson } from '../model/json.ts'
import { createRunId, toRunId } from '../model/run-id.ts'
import { usePgflowStore, type StartOptions } from '../store/pgflow-store.ts'
import { useRunHooks, type RunHooks } from './run-hooks.ts'
import { createRunView, observeRunInScope, type RunView } from './run-view.ts'

/** What `useFlow` returns. */
export interface UseFlowReturn<Flow extends AnyFlow = AnyFlow> extends RunView<Flow> {
  /**
   * Starts a run and follows it live while the component is mounted. If the last start with the
   * same input got no response, or still waits for it, this continues that start instead of
   * starting another run. If a start fails, the run that was shown before stays.
   *
   * Never rejects, so that a template can call it: `@click="start(input)"`.
   * @returns the run; undefined when the start failed, and `error` says why.
   */
  start: (input: FlowInput<Flow>, options?: StartOptions) => Promise<RunOf<Flow> | undefined>
  /**
   * The same as `start`, for code that needs the run or handles the failure.
   * @throws PgflowError which `error` also keeps.
   */
  startAsync: (input: FlowInput<Flow>, options?: StartOptions) => Promise<RunOf<Flow>>
  /** The id of the run that is shown; null before the first start. */
  runId: Readonly<ShallowRef<string | null>>
  /** The status of the run that is shown; `idle` before the first start. */
  status: ComputedRef<RunStatus | 'idle'>
  /** Whether a start is waiting for its response. */
  isPending: Readonly<ShallowRef<boolean>>
  /** Why the last start failed; null if it did not. A failed run is not an error: see `run`. */
  error: Readonly<ShallowRef<PgflowError | null>>
  /** Stops following the run and clears the error. The run itself continues. */
  reset: () => void
}

/**
 * Starts runs of one flow and follows the latest of them live.
 *
 * @typeParam Flow - the flow, for typed input, output and steps: `typeof AnalyzeText`. Not needed
 * when the flow is registered in `PgflowFlows`.
 * @param flowSlug - the flow's slug.
 * @param hooks - called for changes of the run that is shown.
 * @example
 * const { start, steps, status, error } = useFlow<typeof AnalyzeText>('analyze_text')
 * const run = await start({ text: 'Hello' })
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
  /** The value of `runId`, without a reactive dependency. */
  let shown: string | null = null
  /** The start that got no response, to be continued with the same input. */
  let unanswered: { runId: string; input: Json; valid?: Json } | null = null
  let latest = 0
  /** The last run that was started, to be shown again if a later start fails. */
  let good: { runId: string | null; attempt: number } = { runId: null, attempt: 0 }
  const failed = new Set<string>()
  const shownId = computed(() => runId.value)
  const { isShown } = observeRunInScope(shownId)
  useRunHooks(() => shown, hooks, isShown)
  const view = createRunView(shownId)

  function show(id: string | null): void {
    shown = id
    runId.value = id
  }

  async function startAsync(input: Json, options: StartOptions = {}): Promise<PgflowRun> {
    const attempt = ++latest
    const before = shown
    let id: string | undefined
    error.value = null
    isPending.value = true
    try {
      const own = continued(toJson(input), options.runId)
      const { runId, valid } = own
      id = runId
      unanswered = own
      // Shown only when it is in the store, so that observing shares the channel of the start.
      const onBegin = (valid: Json) => {
        own.valid = valid
        if (attempt === latest) show(runId)
      }
      const begun = { ...options, runId, valid, onBegin }
      const run = await store.startFlow<AnyFlow>(flowSlug, own.input, begun)
      if (attempt === latest) unanswered = null
      if (attempt > good.attempt) good = { runId, attempt }
      failed.delete(runId)
      return run
    } catch (thrown) {
      const failure = toPgflowError(thrown)
      if (attempt === latest) {
        if (!failure.isTransient && failure.code !== 'aborted') unanswered = null
        error.value = failure
      }
      // Another attempt may continue the same run, as after a double click.
      if (id !== undefined && (attempt === latest || unanswered?.runId !== id)) giveUp(id, before)
      throw failure
    } finally {
      if (attempt === latest) isPending.value = false
    }
  }

  /** The run that was shown before, unless its own start has failed. */
  function giveUp(runId: string, before: string | null): void {
    failed.add(runId)
    if (shown !== runId || good.runId === runId) return
    show(before !== null && !failed.has(before) ? before : good.runId)
  }

  /** The start that got no response, if it had the same input; otherwise a new one. */
  function continued(input: Json, given: string | undefined) {
    const runId = given === undefined ? unanswered?.runId : toRunId(given)
    const isAgain = unanswered?.runId === runId && isSameJson(unanswered?.input, input)
    if (unanswered && isAgain) return unanswered
    const made: NonNullable<typeof unanswered> = {
      runId: given === undefined ? createRunId() : toRunId(given),
      input,
    }
    return made
  }

  function reset(): void {
    latest += 1
    unanswered = null
    good = { runId: null, attempt: latest }
    failed.clear()
    isPending.value = false
    show(null)
    error.value = null
  }

  return {
    ...view,
    start: (input: Json, options?: StartOptions) =>
      startAsync(input, options).catch(() => undefined),
    startAsync,
    runId,
    status: computed(() => view.run.value?.status ?? 'idle'),
    isPending,
    error,
    reset,
  }
}
