import { markRaw, reactive, ref, toRaw } from 'vue'
import type { PgflowError, PlainError } from './errors.ts'
import type { RunChange } from './model/changes.ts'
import {
  createdStep,
  idleConnection,
  isTerminal,
  pendingRun,
  stepKey,
  type Json,
  type PgflowRun,
  type PgflowStep,
  type RunConnection,
  type StepRetry,
} from './model/entities.ts'
import {
  isSameJson,
  mergeEvent,
  mergeSnapshot,
  type EventOutcome,
  type SnapshotOutcome,
} from './model/merge.ts'
import type { RunPatch, StepPatch } from './model/wire.ts'
import type { RunSink } from './sync/types.ts'

/** Told of what is written, right after it is. */
export interface RunTableWatcher {
  onChange: (change: RunChange) => void
  /** A run (`stepSlug` null) or a step got an output that it did not have. */
  onOutput: (run: PgflowRun, stepSlug: string | null, output: Json) => void
}

/**
 * The store's state: runs and steps by id, and the only code that writes them. Merging decides what
 * changes; here it is written field by field, so that only what reads a changed field renders again.
 */
export function createRunTable(watcher?: RunTableWatcher) {
  /** Runs by `run_id`. */
  const runs = ref<Record<string, PgflowRun>>({})
  /** Steps by `run_id/step_slug`. */
  const steps = ref<Record<string, PgflowStep>>({})
  /** The step slugs of each run, in the order to show them. */
  const stepOrder = ref<Record<string, string[]>>({})
  /** Of steps that are being tried again, by `run_id/step_slug`: the last attempt that failed. */
  const retries = ref<Record<string, StepRetry>>({})
  /** Outputs that are not what the schema given for them describes, by `run_id[/step_slug]`. */
  const outputErrors = ref<Record<string, PlainError>>({})
  /** How live each run is, by `run_id`. */
  const connections = ref<Record<string, RunConnection>>({})

  function connectionOf(runId: string): RunConnection {
    const known = rowOf(connections.value, runId)
    if (known) return known
    const made = idleConnection()
    connections.value[runId] = made
    return rowOf(connections.value, runId) ?? made
  }

  /** Writes into a run that is held, and tells; returns whether anything differed. */
  function changeRun(run: PgflowRun, patch: RunPatch): boolean {
    const raw = toRaw(run)
    const { status, output } = raw
    const hasChanged = assignRow(run, patch)
    if (raw.status !== status) watcher?.onChange({ kind: 'run', run: { ...raw }, from: status })
    if (raw.output !== output && raw.output !== null) watcher?.onOutput(raw, null, raw.output)
    return hasChanged
  }

  /** Writes a step, and tells unless the run is only now read for the first time. */
  function putStep(runId: string, slug: string, patch: StepPatch, isFirst: boolean): boolean {
    const key = stepKey(runId, slug)
    const known = rowOf(steps.value, key)
    const step = known ?? createdStep(runId, slug)
    const { status, output } = toRaw(step)
    const hasChanged = assignRow(step, patch)
    if (!known) steps.value[key] = step
    const raw = toRaw(step)
    const run = toRaw(runs.value)[runId]
    if (isTerminal(raw.status)) Reflect.deleteProperty(retries.value, key)
    if (!run) return true
    if (raw.status !== status && !isFirst) {
      watcher?.onChange({ kind: 'step', run: { ...toRaw(run) }, step: { ...raw }, from: status })
    }
    if (raw.output !== output && raw.output !== null) {
      watcher?.onOutput(toRaw(run), slug, raw.output)
    }
    return hasChanged || !known
  }

  function putOrder(runId: string, slugs: string[]): void {
    const known = toRaw(stepOrder.value)[runId]
    if (!known || !isSameJson(toRaw(known), slugs)) stepOrder.value[runId] = slugs
  }

  function putRetry(runId: string, slug: string, retry: StepRetry): void {
    const run = toRaw(runs.value)[runId]
    const step = toRaw(steps.value)[stepKey(runId, slug)]
    if (!run || !step || isTerminal(toRaw(step).status)) return
    retries.value[stepKey(runId, slug)] = retry
    watcher?.onChange({ kind: 'retry', run: { ...toRaw(run) }, step: { ...toRaw(step) }, retry })
  }

  /** Keeps what is wrong with an output, unless another output has taken its place. */
  function setOutputError(
    runId: string,
    slug: string | null,
    output: Json,
    error: PgflowError | null,
  ): void {
    const key = slug === null ? runId : stepKey(runId, slug)
    const row = toRaw(slug === null ? toRaw(runs.value)[runId] : toRaw(steps.value)[key])
    if (row?.output !== output) return
    if (error) outputErrors.value[key] = error.toJSON()
    else Reflect.deleteProperty(outputErrors.value, key)
  }

  function dropSteps(runId: string, keep: ReadonlySet<string>): void {
    for (const slug of toRaw(stepOrder.value)[runId] ?? []) {
      if (keep.has(slug)) continue
      Reflect.deleteProperty(steps.value, stepKey(runId, slug))
      Reflect.deleteProperty(retries.value, stepKey(runId, slug))
      Reflect.deleteProperty(outputErrors.value, stepKey(runId, slug))
    }
  }

  /** Writes what became of a broadcast or a snapshot into the connection's record. */
  function account(
    runId: string,
    outcome: EventOutcome | SnapshotOutcome,
    counter: 'events' | 'resyncs',
  ): void {
    const connection = connectionOf(runId)
    count(connection, outcome.kind === 'stale' ? 'stale' : counter)
    if (outcome.kind === 'stale') return
    if (outcome.seq !== null) connection.seq = outcome.seq
    if (outcome.isGap) count(connection, 'gaps')
  }

  function commitEvent(runId: string, outcome: EventOutcome): EventOutcome {
    account(runId, outcome, 'events')
    if (outcome.kind === 'stale') return outcome
    const run = rowOf(runs.value, runId)
    if (outcome.step) {
      const { slug, patch } = outcome.step
      const isNew = !(stepKey(runId, slug) in toRaw(steps.value))
      putStep(runId, slug, patch, false)
      if (isNew) putOrder(runId, [...(toRaw(stepOrder.value)[runId] ?? []), slug].sort())
      if (outcome.retry) putRetry(runId, slug, outcome.retry)
    }
    if (run) changeRun(run, outcome.run)
    return outcome
  }

  function commitSnapshot(runId: string, outcome: SnapshotOutcome) {
    account(runId, outcome, 'resyncs')
    if (outcome.kind === 'stale') return { ...outcome, hasChanged: false }
    const run = rowOf(runs.value, runId)
    if (!run) runs.value[runId] = holdRaw(outcome.run)
    const slugs = outcome.steps.map((step) => step.step_slug)
    dropSteps(runId, new Set(slugs))
    let hasChanged = !run
    for (const step of outcome.steps) {
      hasChanged = putStep(runId, step.step_slug, step, !run) || hasChanged
    }
    putOrder(runId, slugs)
    // Last, as in the database: who hears that a run has ended finds its steps.
    if (run) hasChanged = changeRun(run, outcome.run) || hasChanged
    else if (outcome.run.output !== null) watcher?.onOutput(outcome.run, null, outcome.run.output)
    return { ...outcome, hasChanged }
  }

  function view(runId: string) {
    // Read raw: the sync must not make whoever calls it depend on what it looks at.
    const run = toRaw(runs.value)[runId]
    if (!run) return undefined
    return {
      run: toRaw(run),
      step: (slug: string) => toRaw(toRaw(steps.value)[stepKey(runId, slug)]),
      seq: toRaw(connections.value)[runId]?.seq ?? (run.status === 'pending' ? null : 0),
    }
  }

  const sink: RunSink = {
    view,
    begin(runId: string, flowSlug: string, input: Json) {
      if (!(runId in toRaw(runs.value))) {
        runs.value[runId] = holdRaw(pendingRun(runId, flowSlug, input))
      }
    },
    applyEvent(event) {
      const current = view(event.run_id)
      return current ? commitEvent(event.run_id, mergeEvent(current, event)) : { kind: 'stale' }
    },
    applySnapshot(snapshot, since, floor) {
      const runId = snapshot.run.run_id
      return commitSnapshot(runId, mergeSnapshot(snapshot, since, floor, view(runId)))
    },
    connection: (runId) => toRaw(connections.value)[runId],
    setConnection(runId, patch) {
      Object.assign(connectionOf(runId), patch)
    },
    forget(runId) {
      dropSteps(runId, new Set())
      Reflect.deleteProperty(runs.value, runId)
      Reflect.deleteProperty(stepOrder.value, runId)
      Reflect.deleteProperty(outputErrors.value, runId)
      Reflect.deleteProperty(connections.value, runId)
    },
  }

  return { runs, steps, stepOrder, retries, outputErrors, connections, sink, setOutputError }
}

/**
 * The reactive row of a key, looked up raw: whoever starts or observes a run inside an effect must
 * not come to depend on what is looked at here.
 */
function rowOf<Row extends object>(rows: Record<string, Row>, key: string): Row | undefined {
  const row = toRaw(rows)[key]
  // The type of `reactive` unwraps refs; rows are plain data and hold none.
  return row === undefined ? undefined : (reactive(row) as Row)
}

/** Adds one without depending on what was there. */
function count(connection: RunConnection, counter: 'events' | 'gaps' | 'stale' | 'resyncs'): void {
  connection[counter] = toRaw(connection)[counter] + 1
}

/**
 * Writes what differs, and returns whether anything did; an equal input or output keeps its
 * identity.
 */
function assignRow(row: PgflowRun | PgflowStep, patch: RunPatch | StepPatch): boolean {
  const current = toRaw(row)
  let hasChanged = false
  for (const [field, value] of Object.entries(patch)) {
    if (isSameJson(Reflect.get(current, field), value)) continue
    Reflect.set(row, field, asRaw(value))
    hasChanged = true
  }
  return hasChanged
}

function holdRaw(run: PgflowRun): PgflowRun {
  return { ...run, input: asRaw(run.input), output: asRaw(run.output) }
}

/** Inputs and outputs can be large and are replaced whole: no need to watch their insides. */
function asRaw<T>(value: T): T {
  if (typeof value === 'object' && value !== null) markRaw(value)
  return value
}
