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
import { validate } from '../flow-schemas.ts'
import { useEngine } from './installation.ts'
import { settleHydrated } from './hydrated-state.ts'
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

/** What a start may be given besides flow and input. */
export interface StartOptions {
  /**
   * The id of the run to be, a UUID; made up if absent. Starting again with the id of a start that
   * failed is safe: the run is started once.
   */
  runId?: string | undefined
  /** Stops waiting for the answer; the run may have been started all the same. */
  signal?: AbortSignal | undefined
  /** In ms; default: the plugin's `startTimeout`. */
  timeout?: number | undefined
}

/** For the library's own composables. */
interface BeginOptions {
  /** Called when the run is in the store, with its input as the schema wants it. */
  onBegin?: (valid: Json) => void
  /** The input, if it was found valid before: a schema may make another one of it each time. */
  valid?: Json | undefined
}

/**
 * The Pinia store of runs and steps. State is plain data that can be serialised; everything that
 * keeps it true happens behind its actions. Half of this file documents what an app can call.
 *
 * @throws PgflowError `not_installed` when the plugin is not installed.
 * @example
 * const pgflow = usePgflowStore()
 * const run = await pgflow.startFlow('analyze_text', { text })
 * const { release } = pgflow.observeRun(run.run_id)
 */
export const usePgflowStore = /* @__PURE__ */ defineStore('pgflow', () => {
  const { config, changes, outputs, tables, shapes, ...engine } = useEngine()
  const { sync, reset, stop } = engine
  const { runs, steps, stepOrder, retries, outputErrors, connections } = tables
  const { flows } = shapes
  settleHydrated(getActivePinia()?.state.value.pgflow)
  engine.watchSession()
  onScopeDispose(stop)

  /**
   * The run of an id, if the store holds it.
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
    // Raw: shapes are replaced whole, and nothing needs to watch their insides.
    return flowSlug === undefined ? slugs : inFlowOrder(slugs, toRaw(shapes.shapeOf(flowSlug)))
  }
  /**
   * Of a step that is being tried again: the last attempt that failed.
   * @example
   * const reason = pgflow.retryOf(runId, 'words')?.error_message
   */
  const retryOf = computed(
    () =>
      (runId: string, stepSlug: string): StepRetry | undefined =>
        ofRun(retries.value, runId, stepSlug),
  )
  /**
   * How far a run is; at 0 if the store does not hold it.
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
   * `runId` that is no UUID), `unreachable`, `timeout`. Its `runId` can be given to the next attempt.
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
    const valid = options.valid ?? validInput(flowSlug, input, runId)
    // Not awaited when it is there: the run is to be in the store at once.
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

  /** The input as its schema wants it. */
  function validInput(flowSlug: string, input: Json, runId: string): unknown {
    const schema = ownValue(config().flows, flowSlug)?.input
    const name = `The input of ${flowSlug}`
    return schema ? validate(schema, input, { name, code: 'invalid_input', runId }) : input
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
   * @throws PgflowError such as `run_not_found`, `unreachable`, `timeout`, and `invalid_input` for an
   * id that is no UUID.
   * @example
   * await pgflow.refreshRun(runId)
   */
  async function refreshRun(runId: string): Promise<void> {
    await sync().refresh(toRunId(runId))
  }

  /**
   * Reads what a flow looks like: its steps in order, each with its type and the steps it waits
   * for. With plain pgflow the steps of its runs are in that order from then on.
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
   * Waits until a run has ended, following it meanwhile. A run that has ended already settles at
   * once.
   *
   * @returns the completed run, its output included.
   * @throws PgflowError `run_failed` with the step's error when the run fails; `timeout`, `aborted`,
   * `run_not_found`, `not_supported` on a server that renders when the run has not ended, or
   * `invalid_output` when the output is not what its schema describes.
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
    return outputs.approve(await waitForEnd(runId, source, options))
  }

  /** A page that is being rendered cannot wait for work that may take minutes. */
  async function readEnded(runId: string): Promise<void> {
    await refreshRun(runId)
    if (isTerminal(ofRun(runs.value, runId)?.status ?? '')) return
    const message = 'A server that renders does not wait for a run.'
    throw new PgflowError('not_supported', message, { runId })
  }

  /**
   * Calls `listener` for each change of any run that the store holds: a run or step that got
   * another status, and an attempt that failed and will be repeated. Once for each change however
   * it was learned, and never because of a reconnect or because a run is read for the first time.
   * Ends with the scope it was called in, or when the returned function is called.
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
   * Forgets everything that is held, lists too. What somebody observes is read anew.
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

/** What a table holds of a run or one of its steps; nothing for an id that is none. */
function ofRun<Row>(rows: Record<string, Row>, id: string, stepSlug?: string): Row | undefined {
  const runId = asRunId(id)
  if (runId === null) return undefined
  return ownValue(rows, stepSlug === undefined ? runId : stepKey(runId, stepSlug))
}

/** @throws PgflowError `invalid_input` for what cannot be the slug of a flow. */
function checkSlug(flowSlug: unknown): void {
  if (typeof flowSlug === 'string' && flowSlug !== '' && isStorable(flowSlug)) return
  throw new PgflowError('invalid_input', 'This is not the slug of a flow.')
}
