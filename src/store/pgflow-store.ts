import { defineStore, getActivePinia } from 'pinia'
import { computed, getCurrentScope, onScopeDispose, toRaw } from 'vue'
import type { RunChangeListener } from './change-log.ts'
import { PgflowError } from '../errors.ts'
import type {
  AnyFlow,
  FlowInput,
  FlowOf,
  FlowSlug,
  RunOf,
  UnlessRegistered,
} from '../flow-types.ts'
import { useEngine } from './installation.ts'
import { takeOverHydrated } from './hydrated-state.ts'
import { inFlowOrder } from '../model/flow-order.ts'
import { ownValue } from '../model/own-value.ts'
import { asRunId, createRunId, toRunId } from '../model/run-id.ts'
import { isStorable, toJson } from '../model/json.ts'
import {
  isTerminal,
  stepKey,
  type FlowShape,
  type Json,
  type PgflowRun,
  type PgflowStep,
  type StepRetry,
} from '../model/entities.ts'
import { progressOf } from '../model/progress.ts'
import type { RunObservation } from '../sync/runs.ts'
import { waitForEnd, type WaitOptions } from './wait-for-run.ts'

/** Options of a start. */
export interface StartOptions {
  /**
   * The id of the new run, a UUID; random if absent. Starting again with the id of a start that
   * failed is safe: the run is started once.
   */
  runId?: string | undefined
  /** Stops waiting for the response; the run may have been started all the same. */
  signal?: AbortSignal | undefined
  /** In ms; default: the plugin's `startTimeout`. */
  timeout?: number | undefined
}

/** For the library's own composables. */
interface BeginOptions {
  /** Called when the run is in the store, with its input as the schema returned it. */
  onBegin?: (valid: Json) => void
  /** The input, if it was validated before: a schema may return a different one each time. */
  valid?: Json | undefined
}

/**
 * The Pinia store of runs and steps. Its state is plain data that can be serialised; the sync
 * behind its actions keeps it up to date. Half of this file documents what an app can call.
 *
 * @throws PgflowError `not_installed` when the plugin is not installed.
 * @example
 * const pgflow = usePgflowStore()
 * const run = await pgflow.startFlow('analyze_text', { text })
 * const { release } = pgflow.observeRun(run.run_id)
 */
export const usePgflowStore = /* @__PURE__ */ defineStore('pgflow', () => {
  const { config, changes, tables, shapes, ...engine } = useEngine()
  const { sync, reset, stop } = engine
  const { runs, steps, stepOrder, retries, outputErrors, connections } = tables
  const { flows } = shapes
  takeOverHydrated(getActivePinia()?.state.value.pgflow)
  engine.watchSession()
  onScopeDispose(stop)

  /**
   * The run with an id, if the store holds it.
   * @example
   * const status = pgflow.runById(runId)?.status ?? 'unknown'
   */
  const runById = computed(
    () =>
      (runId: string): PgflowRun | undefined =>
        ofRun(runs.value, runId),
  )
  /**
   * A step of a run, if the store holds it.
   * @example
   * const output = pgflow.stepOf(runId, 'summary')?.output
   */
  const stepOf = computed(
    () =>
      (runId: string, stepSlug: string): PgflowStep | undefined =>
        ofRun(steps.value, runId, stepSlug),
  )
  /**
   * The steps of a run, in the order of its flow; empty if the store does not hold it. With plain
   * pgflow they are in that order once `fetchFlow` has read it, and by slug until then.
   * @example
   * const failed = pgflow.stepsOf(runId).filter((step) => step.status === 'failed')
   */
  const stepsOf = computed(
    () =>
      (runId: string): PgflowStep[] =>
        slugsOf(runId).flatMap((slug) => stepOf.value(runId, slug) ?? []),
  )
  function slugsOf(runId: string): string[] {
    const slugs = ofRun(stepOrder.value, runId) ?? []
    const flowSlug = ofRun(runs.value, runId)?.flow_slug
    // Raw: shapes are only replaced as a whole.
    return flowSlug === undefined ? slugs : inFlowOrder(slugs, toRaw(shapes.shapeOf(flowSlug)))
  }
  /**
   * The last failed attempt of a step that is being retried.
   * @example
   * const reason = pgflow.retryOf(runId, 'words')?.error_message
   */
  const retryOf = computed(
    () =>
      (runId: string, stepSlug: string): StepRetry | undefined =>
        ofRun(retries.value, runId, stepSlug),
  )
  /**
   * The progress of a run; 0 if the store does not hold it.
   * @example
   * const { done, total } = pgflow.progressOfRun(runId)
   */
  const progressOfRun = computed(() => (runId: string) => progressOf(stepsOf.value(runId)))
  /**
   * The shape of a flow, if `fetchFlow` has read it.
   * @example
   * const deps = pgflow.flowBySlug('analyze_text')?.steps.map((step) => step.deps)
   */
  const flowBySlug = computed(
    () =>
      (flowSlug: string): FlowShape | undefined =>
        shapes.shapeOf(flowSlug),
  )
  /**
   * Starts a run. It is in the store at once, as `pending`; the promise resolves when the database
   * has started it. While the call lasts, and `gcTime` longer, the run is followed live: observe
   * it to keep it so.
   *
   * @throws PgflowError such as `flow_not_found`, `flow_not_allowed`, `invalid_input` (also for a
   * `runId` that is no UUID), `unreachable`, `timeout`. Its `runId` can be given to the next
   * attempt.
   * @example
   * const run = await pgflow.startFlow('analyze_text', { text: 'Hello' })
   */
  function startFlow<Flow extends AnyFlow = never>(
    flowSlug: UnlessRegistered<Flow>,
    input: FlowInput<Flow>,
    options?: StartOptions,
  ): Promise<RunOf<Flow>>
  function startFlow<Slug extends FlowSlug>(
    flowSlug: Slug,
    input: FlowInput<FlowOf<Slug>>,
    options?: StartOptions,
  ): Promise<RunOf<FlowOf<Slug>>>
  async function startFlow(
    flowSlug: string,
    input: Json,
    options: StartOptions & BeginOptions = {},
  ): Promise<PgflowRun> {
    const { signal, timeout, onBegin } = options
    const runId = toRunId(options.runId ?? createRunId())
    checkSlug(flowSlug)
    const { flows: schemas } = config()
    const valid = options.valid ?? (schemas ? schemas.validInput(flowSlug, input, runId) : input)
    // Not awaited if it is a value: the run has to be in the store synchronously.
    const json = toJson((valid instanceof Promise ? await valid : valid) as Json)
    const isStarted = engine.beginStart()
    const onStarted = () => isStarted(runId)
    const started = sync().start(runId, { flowSlug, input: json, signal, timeout, onStarted })
    onBegin?.(json)
    await started
    const run = ofRun(runs.value, runId)
    if (!run) throw new PgflowError('aborted', 'The run was removed while it started.', { runId })
    return run
  }

  /**
   * Follows a run live until `release()` is called. Observers share one channel.
   *
   * @throws PgflowError `invalid_input` for an id that is no UUID.
   * @example
   * const { ready, release } = pgflow.observeRun(runId)
   * await ready
   */
  function observeRun(runId: string): RunObservation {
    return engine.observeRun(toRunId(runId))
  }

  /**
   * Reads a run and its steps from the database now.
   * @throws PgflowError such as `run_not_found`, `unreachable`, `timeout`, and `invalid_input` for
   *   an
   * id that is no UUID.
   * @example
   * await pgflow.refreshRun(runId)
   */
  async function refreshRun(runId: string): Promise<void> {
    await sync().refresh(toRunId(runId))
  }

  /**
   * Reads the shape of a flow: its steps in order, each with its type and its dependencies. With
   * plain pgflow, the steps of its runs are in that order from then on.
   *
   * @throws PgflowError such as `flow_not_found`, `unreachable`, `timeout`.
   * @example
   * const { steps } = await pgflow.fetchFlow('analyze_text')
   */
  function fetchFlow<Flow extends AnyFlow = never>(
    flowSlug: UnlessRegistered<Flow>,
  ): Promise<FlowShape>
  function fetchFlow<Slug extends FlowSlug>(flowSlug: Slug): Promise<FlowShape>
  async function fetchFlow(flowSlug: string): Promise<FlowShape> {
    checkSlug(flowSlug)
    return shapes.fetch(flowSlug)
  }

  /**
   * Waits until a run has ended, and follows it meanwhile. Resolves at once for a run that has
   * ended already.
   *
   * @returns the completed run, its output included.
   * @throws PgflowError `run_failed` with the step's error when the run fails; `timeout`,
   *   `aborted`,
   * `run_not_found`, `not_supported` when a server renders and the run has not ended, or
   * `invalid_output` when the output does not match its schema.
   * @example
   * const { output } = await pgflow.waitForRun(runId, { timeout: 60_000 })
   */
  function waitForRun<Flow extends AnyFlow = AnyFlow>(
    runId: string,
    options?: WaitOptions,
  ): Promise<RunOf<Flow>>
  async function waitForRun(id: string, options: WaitOptions = {}): Promise<PgflowRun> {
    const runId = toRunId(id)
    if (config().isServer) await readEnded(runId)
    const source = {
      observe: () => observeRun(runId),
      run: () => ofRun(runs.value, runId),
      connection: () => ofRun(connections.value, runId),
      scheduler: config().scheduler,
    }
    const ended = await waitForEnd(runId, source, options)
    await config().flows?.approve(ended)
    return ended
  }

  /** A server that renders cannot wait for work that may take minutes. */
  async function readEnded(runId: string): Promise<void> {
    await refreshRun(runId)
    if (isTerminal(ofRun(runs.value, runId)?.status ?? '')) return
    const message = 'A server does not wait for a run.'
    throw new PgflowError('not_supported', message, { runId })
  }

  /**
   * Calls `listener` for each change of any run that the store holds: a run or step with another
   * status, or a failed attempt that will be retried. Once for each change, whether it came from a
   * broadcast or a snapshot; not after a reconnect, and not when a run is read for the first time.
   * Ends with the effect scope it was called in, or when the returned function is called.
   *
   * @example
   * pgflow.onRunChange((change) => {
   *   if (change.kind === 'run' && change.run.status === 'failed') notify(change.run.error_message)
   * })
   */
  function onRunChange(listener: RunChangeListener): () => void {
    const stopListening = changes.listen(listener)
    if (getCurrentScope()) onScopeDispose(stopListening)
    return stopListening
  }

  /**
   * Stops following a run and drops it from the store. The database keeps it.
   * @throws PgflowError `invalid_input` for an id that is no UUID.
   * @example
   * pgflow.removeRun(runId)
   */
  function removeRun(runId: string): void {
    sync().remove(toRunId(runId))
  }

  /**
   * Drops all state, that of lists too. What is observed is read again.
   * @example
   * pgflow.$reset()
   */
  function $reset(): void {
    reset()
  }

  return {
    runs,
    steps,
    stepOrder,
    retries,
    outputErrors,
    connections,
    flows,
    runById,
    stepOf,
    stepsOf,
    retryOf,
    progressOfRun,
    flowBySlug,
    startFlow,
    observeRun,
    fetchFlow,
    refreshRun,
    waitForRun,
    removeRun,
    onRunChange,
    $reset,
  }
})

/** The row of a run or of one of its steps; undefined for an invalid id. */
function ofRun<Row>(rows: Record<string, Row>, id: string, stepSlug?: string): Row | undefined {
  const runId = asRunId(id)
  if (runId === null) return undefined
  return ownValue(rows, stepSlug === undefined ? runId : stepKey(runId, stepSlug))
}

/** @throws PgflowError `invalid_input` for a value that cannot be the slug of a flow. */
function checkSlug(flowSlug: unknown): void {
  if (typeof flowSlug === 'string' && flowSlug !== '' && isStorable(flowSlug)) return
  throw new PgflowError('invalid_input', 'This is not the slug of a flow.')
}
