import { markRaw, ref, shallowReactive, toRaw, type Ref } from 'vue'
import type { PgflowError, PlainError } from '../errors.ts'
import type { RunChange } from '../model/changes.ts'
import {
  compareSteps,
  createdStep,
  idleConnection,
  isTerminal,
  pendingRun,
  stepKey,
  type Json,
  type PgflowRun,
  type PgflowStep,
  type RunConnection,
  type RunSnapshot,
  type StepRetry,
} from '../model/entities.ts'
import { isSameJson } from '../model/json.ts'
import {
  mergeEvent,
  mergeSnapshot,
  type EventOutcome,
  type HeldRun,
  type SnapshotOutcome,
} from '../model/merge.ts'
import { ownValue } from '../model/own-value.ts'
import type { RunPatch, StepPatch } from '../model/wire.ts'
import type { AppliedSnapshot, RunState } from '../sync/types.ts'
import { PendingChanges, type Row } from './pending-changes.ts'

/** What subscribes to the state of runs. */
export interface RunStateSubscriber {
  /** A run has changed, all of it is written, and nothing about it is in doubt. */
  onChange: (change: RunChange) => void
  /** A run (`stepSlug` null) or a step has an output that was not told before. */
  onOutput: (run: PgflowRun, stepSlug: string | null, output: Json | null) => void
  /** An event or a snapshot of a run was written; before it the run was held at this seq, if at all. */
  onWrite: (runId: string, seqBefore: number) => void
  /** Whether anybody wants to know of changes. */
  isListening: () => boolean
}

/** What became of a step that was written. */
interface PutStep {
  /** The row, raw. */
  step: PgflowStep
  isNew: boolean
  hasChanged: boolean
}

/**
 * The store's state: runs and steps by id, and the only code that writes them. Merging decides what
 * changes; here it is written field by field, so that only what reads a changed field renders again.
 */
export function createRunState(subscriber?: RunStateSubscriber) {
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

  const pending = new PendingChanges()

  function connectionOf(runId: string): RunConnection {
    const known = rowOf(connections, runId)
    if (known) return known
    const made = idleConnection()
    connections.value[runId] = made
    return rowOf(connections, runId) ?? made
  }

  /**
   * Writes into the row of a key, which is `raw` without Vue; notes what is to be told of it, and returns whether
   * anything differed.
   */
  function changeRow(key: string, row: Row, raw: Row, patch: RunPatch | StepPatch): boolean {
    const { status, output } = raw
    const hasChanged = assignRow(row, raw, patch)
    if (raw.output !== output) drop(outputErrors, key)
    if (raw.status !== status || raw.output !== output) pending.note(raw, status)
    return hasChanged
  }

  function putStep(runId: string, slug: string, patch: StepPatch): PutStep {
    const key = stepKey(runId, slug)
    const known = rowOf(steps, key)
    const step = known ?? shallowReactive(createdStep(runId, slug))
    const raw = toRaw(step)
    const hasChanged = changeRow(key, step, raw, patch)
    if (!known) steps.value[key] = step
    if (isTerminal(raw.status)) drop(retries, key)
    return { step: raw, isNew: !known, hasChanged: hasChanged || !known }
  }

  function putOrder(runId: string, slugs: string[]): void {
    const known = rawRow(stepOrder, runId)
    if (!known || !isSameJson(toRaw(known), slugs)) stepOrder.value[runId] = slugs
  }

  function putRetry(runId: string, slug: string, retry: StepRetry): void {
    const run = rawRow(runs, runId)
    const step = rawRow(steps, stepKey(runId, slug))
    if (!run || !step || isTerminal(toRaw(step).status)) return
    retries.value[stepKey(runId, slug)] = retry
    subscriber?.onChange({ kind: 'retry', run: { ...toRaw(run) }, step: { ...toRaw(step) }, retry })
  }

  /** Takes over what a snapshot says of the attempts of steps: news only where it is more. */
  function keepRetries({ run, steps, seq }: RunSnapshot, isFirst: boolean): void {
    // Broadcasts that came meanwhile may say that a step is tried again.
    const isNewest = seq === (rawRow(connections, run.run_id)?.seq ?? null)
    for (const { step_slug, retry } of steps) {
      const key = stepKey(run.run_id, step_slug)
      const known = rawRow(retries, key)?.attempts_count ?? 0
      if (retry === null && isNewest) Reflect.deleteProperty(retries.value, key)
      if (!retry || retry.attempts_count <= known) continue
      if (isFirst) retries.value[key] = retry
      else putRetry(run.run_id, step_slug, retry)
    }
  }

  /** Puts a step in its place: by halves, as a flow may have thousands. */
  function insertIntoOrder(runId: string, slug: string): void {
    const slugs = toRaw(rawRow(stepOrder, runId) ?? [])
    const rowAt = (place: number) => rawRow(steps, stepKey(runId, slugs[place] ?? ''))
    const row = rawRow(steps, stepKey(runId, slug))
    let [low, high] = [0, slugs.length]
    while (row && low < high) {
      const middle = (low + high) >> 1
      const other = rowAt(middle)
      if (other && compareSteps(other, row) < 0) low = middle + 1
      else high = middle
    }
    stepOrder.value[runId] = [...slugs.slice(0, low), slug, ...slugs.slice(low)]
  }

  /** Tells what has changed: first that the run has started, last that it has ended. */
  function emitChanges(runId: string): void {
    const changed = pending.take(runId)
    const run = changed && rawRow(runs, runId)
    if (!run || !subscriber) return
    const isHeard = subscriber.isListening()
    const tellRun = (from: string) => {
      if (isHeard && run.status !== from) {
        subscriber.onChange({ kind: 'run', run: { ...run }, from })
      }
      tellOutput(run, null, run)
    }
    const ofRun = changed.get(run)
    const isEnd = isTerminal(run.status)
    if (ofRun !== undefined && !isEnd) tellRun(ofRun)
    for (const [step, from] of changed) {
      if (!('step_slug' in step)) continue
      if (isHeard && step.status !== from) {
        subscriber.onChange({ kind: 'step', run: { ...run }, step: { ...step }, from })
      }
      tellOutput(run, step.step_slug, step)
    }
    if (ofRun !== undefined && isEnd) tellRun(ofRun)
  }

  function tellOutput(run: PgflowRun, slug: string | null, row: Row): void {
    if (row.status !== 'completed') return
    // Without a seq the database does not tell the output of every step: null may mean unknown.
    const isTold = row.output !== null || rawRow(connections, run.run_id)?.seq != null
    if (isTold) subscriber?.onOutput(run, slug, row.output)
  }

  /** Keeps what is wrong with an output, unless another output has taken its place. */
  function setOutputError(
    runId: string,
    slug: string | null,
    output: Json | null,
    error: PgflowError | null,
  ): void {
    const key = keyOf(runId, slug)
    const row = slug === null ? rawRow(runs, runId) : rawRow(steps, key)
    if (row?.output !== output) return
    if (error) outputErrors.value[key] = error.toJSON()
    else drop(outputErrors, key)
  }

  function dropSteps(runId: string, keep: ReadonlySet<string>): void {
    for (const slug of rawRow(stepOrder, runId) ?? []) {
      if (keep.has(slug)) continue
      const key = stepKey(runId, slug)
      const step = rawRow(steps, key)
      if (step) pending.drop(step)
      for (const rows of [steps, retries, outputErrors]) drop(rows, key)
    }
  }

  function putSeq(runId: string, seq: number | null): void {
    const connection = connectionOf(runId)
    if (seq !== null) connection.seq = seq
  }

  function commitEvent({ run }: HeldRun, outcome: EventOutcome): EventOutcome {
    if (outcome.kind === 'stale') return outcome
    const runId = run.run_id
    putSeq(runId, outcome.seq)
    if (outcome.step) {
      const { slug, patch } = outcome.step
      if (putStep(runId, slug, patch).isNew) insertIntoOrder(runId, slug)
      if (outcome.retry) putRetry(runId, slug, outcome.retry)
    }
    changeRow(runId, shallowReactive(run), run, outcome.run)
    return outcome
  }

  function commitSnapshot(runId: string, outcome: SnapshotOutcome): AppliedSnapshot {
    if (outcome.kind === 'stale') return outcome
    putSeq(runId, outcome.seq)
    const run = rowOf(runs, runId)
    if (!run) {
      const row = holdRaw(outcome.run)
      runs.value[runId] = row
      pending.take(runId)
      pending.note(toRaw(row), row.status, true)
    }
    const slugs = outcome.steps.map((step) => step.step_slug)
    dropSteps(runId, new Set(slugs))
    let hasChanged = !run
    for (const step of outcome.steps) {
      const put = putStep(runId, step.step_slug, step)
      hasChanged ||= put.hasChanged
      // What is read for the first time is no news, but its output is to be looked at.
      if (!run) pending.note(put.step, put.step.status, true)
    }
    putOrder(runId, slugs)
    if (run) hasChanged = changeRow(runId, run, toRaw(run), outcome.run) || hasChanged
    return { ...outcome, hasChanged }
  }

  function held(runId: string): HeldRun | undefined {
    // Read raw: the sync must not make whoever calls it depend on what it looks at.
    const run = rawRow(runs, runId)
    if (!run) return undefined
    return {
      run,
      step: (slug: string) => rawRow(steps, stepKey(runId, slug)),
      seq: seqOf(run),
    }
  }

  function seqOf(run: PgflowRun): number | null {
    return rawRow(connections, run.run_id)?.seq ?? (run.status === 'pending' ? null : 0)
  }

  let writes = 0
  const removed = new Set<string>()

  /** What a subscriber removes while a run is written is dropped when all of it is written. */
  function whole<T>(write: () => T): T {
    writes += 1
    try {
      return write()
    } finally {
      writes -= 1
      if (writes === 0) {
        for (const runId of [...removed]) forget(runId)
      }
    }
  }

  function forget(runId: string): void {
    if (writes > 0) {
      removed.add(runId)
      return
    }
    removed.delete(runId)
    dropSteps(runId, new Set())
    pending.take(runId)
    for (const rows of [runs, stepOrder, outputErrors, connections]) drop(rows, runId)
  }

  const state: RunState = {
    run: (runId) => rawRow(runs, runId),
    seq(runId) {
      const run = rawRow(runs, runId)
      return run ? seqOf(run) : null
    },
    begin(runId: string, flowSlug: string, input: Json) {
      if (!rawRow(runs, runId)) {
        runs.value[runId] = holdRaw(pendingRun(runId, flowSlug, input))
      }
    },
    applyEvent(event) {
      const current = held(event.run_id)
      if (!current) return { kind: 'stale' }
      const outcome = whole(() => commitEvent(current, mergeEvent(current, event)))
      if (outcome.kind !== 'stale') subscriber?.onWrite(event.run_id, current.seq ?? 0)
      return outcome
    },
    applySnapshot(snapshot, updates, seqAtRequest) {
      const runId = snapshot.run.run_id
      const current = held(runId)
      const merged = mergeSnapshot(snapshot, updates, seqAtRequest, current)
      const outcome = whole(() => {
        const committed = commitSnapshot(runId, merged)
        if (committed.kind !== 'stale') keepRetries(snapshot, !current)
        return committed
      })
      if (outcome.kind !== 'stale') subscriber?.onWrite(runId, current?.seq ?? 0)
      return outcome
    },
    connection: (runId) => rawRow(connections, runId),
    setConnection(runId, { error, ...patch }) {
      const connection = connectionOf(runId)
      // The error first: whoever sees the status finds what explains it.
      if (error !== undefined && !isSameJson(toRaw(connection).error, error)) {
        connection.error = error
      }
      Object.assign(connection, patch)
    },
    emitChanges,
    forget,
    clear() {
      const tables = [runs, connections]
      const ids = tables.flatMap((table) => Object.keys(toRaw(table.value)))
      for (const runId of new Set(ids)) forget(runId)
    },
  }

  return { runs, steps, stepOrder, retries, outputErrors, connections, state, setOutputError }
}

/** What a table holds under a key, raw: whoever looks at it does not come to depend on it. */
function rawRow<Row extends object>(rows: Ref<Record<string, Row>>, key: string): Row | undefined {
  return toRaw(ownValue(toRaw(rows.value), key))
}

/**
 * The reactive row of a key, looked up raw: whoever starts or observes a run inside an effect must
 * not come to depend on what is looked at here.
 */
function rowOf<Row extends object>(rows: Ref<Record<string, Row>>, key: string): Row | undefined {
  const row = ownValue(toRaw(rows.value), key)
  return row && shallowReactive(row)
}

/** Deletes a row, if it is there: through Vue even looking for nothing costs. */
function drop(rows: Ref<Record<string, unknown>>, key: string): void {
  if (Object.hasOwn(toRaw(rows.value), key)) Reflect.deleteProperty(rows.value, key)
}

/** The key of a run or, with a slug, of one of its steps. */
function keyOf(runId: string, slug: string | null): string {
  return slug === null ? runId : stepKey(runId, slug)
}

/**
 * Writes what differs, and returns whether anything did; an equal input or output keeps its
 * identity.
 */
function assignRow(row: Row, raw: Row, patch: RunPatch | StepPatch): boolean {
  let hasChanged = false
  const values: Record<string, unknown> = patch
  for (const field in values) {
    const value = values[field]
    if (isSameJson(Reflect.get(raw, field), value)) continue
    Reflect.set(row, field, asRaw(value))
    hasChanged = true
  }
  return hasChanged
}

/** Rows are shallow: Vue would take names in inputs and outputs, such as `__v_isRef`, for its marks. */
function holdRaw(run: PgflowRun): PgflowRun {
  return shallowReactive({ ...run, input: asRaw(run.input), output: asRaw(run.output) })
}

/** Inputs and outputs can be large and are replaced whole: no need to watch their insides. */
function asRaw<T>(value: T): T {
  if (typeof value === 'object' && value !== null) markRaw(value)
  return value
}
