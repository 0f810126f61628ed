import { markRaw, reactive, ref, toRaw } from 'vue'
import {
  createdStep,
  idleConnection,
  pendingRun,
  stepKey,
  type Json,
  type PgflowRun,
  type PgflowStep,
  type RunConnection,
} from './model/entities.ts'
import { isSameJson, mergeEvent, mergeSnapshot, type EventOutcome } from './model/merge.ts'
import type { SnapshotOutcome } from './model/merge.ts'
import type { RunPatch, StepPatch } from './model/wire.ts'
import type { RunSink } from './sync/types.ts'

/**
 * The store's state: runs and steps by id, and the only code that writes them. Merging decides what
 * changes; here it is written field by field, so that only what reads a changed field renders again.
 */
export function createRunTable() {
  /** Runs by `run_id`. */
  const runs = ref<Record<string, PgflowRun>>({})
  /** Steps by `run_id/step_slug`. */
  const steps = ref<Record<string, PgflowStep>>({})
  /** The step slugs of each run, in the order to show them. */
  const stepOrder = ref<Record<string, string[]>>({})
  /** How live each run is, by `run_id`. */
  const connections = ref<Record<string, RunConnection>>({})

  function connectionOf(runId: string): RunConnection {
    const known = rowOf(connections.value, runId)
    if (known) return known
    const made = idleConnection()
    connections.value[runId] = made
    return rowOf(connections.value, runId) ?? made
  }

  function putStep(runId: string, slug: string, patch: StepPatch): void {
    const key = stepKey(runId, slug)
    const known = rowOf(steps.value, key)
    if (known) assignRow(known, patch)
    else steps.value[key] = assignRow(createdStep(runId, slug), patch)
  }

  function putOrder(runId: string, slugs: string[]): void {
    const known = toRaw(stepOrder.value)[runId]
    if (!known || !isSameJson(toRaw(known), slugs)) stepOrder.value[runId] = slugs
  }

  function dropSteps(runId: string, keep: ReadonlySet<string>): void {
    for (const slug of toRaw(stepOrder.value)[runId] ?? []) {
      if (!keep.has(slug)) Reflect.deleteProperty(steps.value, stepKey(runId, slug))
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
    connection.seq = outcome.seq
    if (outcome.isGap) count(connection, 'gaps')
  }

  function commitEvent(runId: string, outcome: EventOutcome): EventOutcome {
    account(runId, outcome, 'events')
    if (outcome.kind === 'stale') return outcome
    const run = rowOf(runs.value, runId)
    if (run) assignRow(run, outcome.run)
    if (outcome.step) {
      const { slug, patch } = outcome.step
      const isNew = !(stepKey(runId, slug) in toRaw(steps.value))
      putStep(runId, slug, patch)
      if (isNew) putOrder(runId, [...(toRaw(stepOrder.value)[runId] ?? []), slug].sort())
    }
    return outcome
  }

  function commitSnapshot(runId: string, outcome: SnapshotOutcome): SnapshotOutcome {
    account(runId, outcome, 'resyncs')
    if (outcome.kind === 'stale') return outcome
    const run = rowOf(runs.value, runId)
    if (run) assignRow(run, outcome.run)
    else runs.value[runId] = holdRaw(outcome.run)
    const slugs = outcome.steps.map((step) => step.step_slug)
    dropSteps(runId, new Set(slugs))
    for (const step of outcome.steps) putStep(runId, step.step_slug, step)
    putOrder(runId, slugs)
    return outcome
  }

  function view(runId: string) {
    // Read raw: the sync must not make whoever calls it depend on what it looks at.
    const run = toRaw(runs.value)[runId]
    if (!run) return undefined
    return {
      run: toRaw(run),
      step: (slug: string) => toRaw(toRaw(steps.value)[stepKey(runId, slug)]),
      seq: toRaw(connections.value)[runId]?.seq ?? null,
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
      return commitSnapshot(snapshot.run.run_id, mergeSnapshot(snapshot, since, floor))
    },
    connection: (runId) => toRaw(connections.value)[runId],
    setConnection(runId, patch) {
      Object.assign(connectionOf(runId), patch)
    },
    forget(runId) {
      dropSteps(runId, new Set())
      Reflect.deleteProperty(runs.value, runId)
      Reflect.deleteProperty(stepOrder.value, runId)
      Reflect.deleteProperty(connections.value, runId)
    },
  }

  return { runs, steps, stepOrder, connections, sink }
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

/** Writes what differs; an equal input or output keeps its identity. */
function assignRow<Row extends PgflowRun | PgflowStep>(row: Row, patch: RunPatch | StepPatch): Row {
  const current = toRaw(row)
  for (const [field, value] of Object.entries(patch)) {
    if (!isSameJson(Reflect.get(current, field), value)) Reflect.set(row, field, asRaw(value))
  }
  return row
}

function holdRaw(run: PgflowRun): PgflowRun {
  return { ...run, input: asRaw(run.input), output: asRaw(run.output) }
}

/** Inputs and outputs can be large and are replaced whole: no need to watch their insides. */
function asRaw<T>(value: T): T {
  if (typeof value === 'object' && value !== null) markRaw(value)
  return value
}
