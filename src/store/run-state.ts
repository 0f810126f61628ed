import { shallowReactive, toRaw } from 'vue'
import type { PgflowError } from '../errors.ts'
import {
  createdStep,
  idleConnection,
  isTerminal,
  pendingRun,
  stepKey,
  type Json,
  type PgflowRun,
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
import type { RunEvent, RunPatch, StepPatch } from '../model/wire.ts'
import type { AppliedSnapshot, RunState } from '../sync/types.ts'
import { RunChanges, type RunChangeSubscriber } from './run-changes.ts'
import {
  dropRow,
  insertIntoOrder,
  keyOf,
  rawRow,
  rowOf,
  toRow,
  writeRow,
  type Row,
  type RunTables,
  type Table,
} from './run-tables.ts'

/** What subscribes to the state of runs. */
export interface RunStateSubscriber extends RunChangeSubscriber {
  /** An event or a snapshot was written. `seq` is the one that was held before, if any. */
  onWrite: (runId: string, seqBefore: number) => void
}

/** The result of writing a step. */
interface WrittenStep {
  isNew: boolean
  hasChanged: boolean
}

/**
 * The only code that writes the state of runs. Merging decides what changes. Here it is written
 * field by field, so that only what depends on a changed field renders.
 *
 * Longer than other files, so that every write to the state of runs is in one place.
 */
export class RunStateWriter implements RunState {
  readonly #tables: RunTables
  readonly #subscriber: RunStateSubscriber
  readonly #changes: RunChanges
  /** The depth of nested writes: a subscriber may cause one during another. */
  #writes = 0
  readonly #removed = new Set<string>()

  constructor(tables: RunTables, subscriber: RunStateSubscriber) {
    this.#tables = tables
    this.#subscriber = subscriber
    this.#changes = new RunChanges(tables, subscriber)
  }

  run(runId: string): PgflowRun | undefined {
    return rawRow(this.#tables.runs, runId)
  }

  seq(runId: string): number | null {
    const run = this.run(runId)
    return run ? this.#seqOf(run) : null
  }

  begin(runId: string, flowSlug: string, input: Json): void {
    if (!this.run(runId)) this.#tables.runs.value[runId] = toRow(pendingRun(runId, flowSlug, input))
  }

  applyEvent(event: RunEvent): EventOutcome {
    const current = this.#held(event.run_id)
    if (!current) return { kind: 'stale' }
    const outcome = mergeEvent(current, event)
    if (outcome.kind === 'stale') return outcome
    this.#whole(() => this.#commitEvent(current.run, outcome))
    this.#subscriber.onWrite(event.run_id, current.seq ?? 0)
    return outcome
  }

  applySnapshot(
    snapshot: RunSnapshot,
    updates: readonly RunEvent[],
    oldestAccepted: number | null,
  ): AppliedSnapshot {
    const runId = snapshot.run.run_id
    const current = this.#held(runId)
    const outcome = mergeSnapshot(snapshot, updates, oldestAccepted, current)
    if (outcome.kind === 'stale') return outcome
    const hasChanged = this.#whole(() => {
      const hasChanged = this.#commitSnapshot(runId, outcome)
      this.#keepRetries(snapshot, !current)
      return hasChanged
    })
    this.#subscriber.onWrite(runId, current?.seq ?? 0)
    return { ...outcome, hasChanged }
  }

  connection(runId: string): RunConnection | undefined {
    return rawRow(this.#tables.connections, runId)
  }

  setConnection(runId: string, { error, ...patch }: Partial<RunConnection>): void {
    const connection = this.#connectionOf(runId)
    // The error first, so that it is there when the status is shown.
    if (error !== undefined && !isSameJson(toRaw(connection).error, error)) {
      connection.error = error
    }
    Object.assign(connection, patch)
  }

  emitChanges(runId: string): void {
    this.#changes.emit(runId)
  }

  /** Stores the error of an output, unless the output was replaced. */
  setOutputError(
    runId: string,
    slug: string | null,
    output: Json | null,
    error: PgflowError | null,
  ): void {
    const { steps, outputErrors } = this.#tables
    const key = keyOf(runId, slug)
    const row = slug === null ? this.run(runId) : rawRow(steps, key)
    if (row?.output !== output) return
    if (error) outputErrors.value[key] = error.toJSON()
    else dropRow(outputErrors, key)
  }

  forget(runId: string): void {
    if (this.#writes > 0) {
      this.#removed.add(runId)
      return
    }
    this.#removed.delete(runId)
    this.#dropSteps(runId, new Set())
    this.#changes.forget(runId)
    const { runs, stepOrder, outputErrors, connections } = this.#tables
    for (const rows of [runs, stepOrder, outputErrors, connections]) dropRow(rows, runId)
  }

  /** Drops everything, also rows that belong to no run. */
  reset(): void {
    for (const table of Object.values(this.#tables)) table.value = {}
    this.#changes.clear()
  }

  clear(): void {
    const tables: Table<unknown>[] = [this.#tables.runs, this.#tables.connections]
    const ids = tables.flatMap((table) => Object.keys(table.raw()))
    for (const runId of new Set(ids)) this.forget(runId)
  }

  /** The held run, raw: reading it must not create reactive dependencies of the caller. */
  #held(runId: string): HeldRun | undefined {
    const run = this.run(runId)
    return (
      run && {
        run,
        step: (slug) => rawRow(this.#tables.steps, stepKey(runId, slug)),
        seq: this.#seqOf(run),
      }
    )
  }

  #seqOf({ run_id, status }: PgflowRun): number | null {
    return this.connection(run_id)?.seq ?? (status === 'pending' ? null : 0)
  }

  /** A run that a subscriber removes during a write is dropped after the write. */
  #whole<T>(write: () => T): T {
    this.#writes += 1
    try {
      return write()
    } finally {
      this.#writes -= 1
      if (this.#writes === 0) for (const runId of [...this.#removed]) this.forget(runId)
    }
  }

  #commitEvent(run: PgflowRun, event: Extract<EventOutcome, { kind: 'apply' }>): void {
    const runId = run.run_id
    this.#putSeq(runId, event.seq)
    if (event.step) {
      const { slug, patch } = event.step
      if (this.#putStep(runId, slug, patch).isNew) insertIntoOrder(this.#tables, runId, slug)
      if (event.retry) this.#putRetry(runId, slug, event.retry)
    }
    this.#changeRow(runId, runId, shallowReactive(run), event.run)
  }

  /** Returns whether anything differed. */
  #commitSnapshot(
    runId: string,
    { run, steps, seq }: Extract<SnapshotOutcome, { kind: 'replace' }>,
  ): boolean {
    this.#putSeq(runId, seq)
    const known = rowOf(this.#tables.runs, runId)
    if (!known) {
      this.#tables.runs.value[runId] = toRow(run)
      this.#changes.note(runId, runId, run.status, true)
      // Rows that are there before the run may come from a server.
      dropRow(this.#tables.outputErrors, runId)
    }
    const slugs = steps.map(({ step_slug }) => step_slug)
    this.#dropSteps(runId, new Set(slugs))
    let hasChanged = !known
    for (const step of steps) {
      const written = this.#putStep(runId, step.step_slug, step)
      hasChanged ||= written.hasChanged
      // A first read is not a change, but its output is to be validated.
      if (!known) this.#changes.note(runId, stepKey(runId, step.step_slug), step.status, true)
    }
    this.#putOrder(runId, slugs)
    if (known && this.#changeRow(runId, runId, known, run)) hasChanged = true
    return hasChanged
  }

  #connectionOf(runId: string): RunConnection {
    const { connections } = this.#tables
    const known = rowOf(connections, runId)
    if (known) return known
    const made = idleConnection()
    connections.value[runId] = made
    return shallowReactive(made)
  }

  #putSeq(runId: string, seq: number | null): void {
    const connection = this.#connectionOf(runId)
    if (seq !== null) connection.seq = seq
  }

  /** Writes into a row and notes the change; returns whether anything differed. */
  #changeRow(runId: string, key: string, row: Row, patch: RunPatch | StepPatch): boolean {
    const raw = toRaw(row)
    const { status, output } = raw
    const hasChanged = writeRow(row, raw, patch)
    if (raw.output !== output) dropRow(this.#tables.outputErrors, key)
    if (raw.status !== status || raw.output !== output) this.#changes.note(runId, key, status)
    return hasChanged
  }

  #putStep(runId: string, slug: string, patch: StepPatch): WrittenStep {
    const { steps, retries } = this.#tables
    const key = stepKey(runId, slug)
    const known = rowOf(steps, key)
    const row = known ?? shallowReactive(createdStep(runId, slug))
    const hasChanged = this.#changeRow(runId, key, row, patch)
    if (!known) steps.value[key] = row
    if (isTerminal(toRaw(row).status)) dropRow(retries, key)
    return { isNew: !known, hasChanged: hasChanged || !known }
  }

  #dropSteps(runId: string, keep: ReadonlySet<string>): void {
    const { steps, stepOrder, retries, outputErrors } = this.#tables
    for (const slug of rawRow(stepOrder, runId) ?? []) {
      if (keep.has(slug)) continue
      const key = stepKey(runId, slug)
      for (const rows of [steps, retries, outputErrors]) dropRow(rows, key)
    }
  }

  #putOrder(runId: string, slugs: string[]): void {
    const { stepOrder } = this.#tables
    if (!isSameJson(rawRow(stepOrder, runId), slugs)) stepOrder.value[runId] = slugs
  }

  #putRetry(runId: string, slug: string, retry: StepRetry): void {
    const { steps, retries } = this.#tables
    const key = stepKey(runId, slug)
    const run = this.run(runId)
    const step = rawRow(steps, key)
    if (!run || !step || isTerminal(step.status)) return
    retries.value[key] = retry
    const { isListening, onChange } = this.#subscriber
    if (isListening()) onChange({ kind: 'retry', run: { ...run }, step: { ...step }, retry })
  }

  /** Takes over the attempts of steps from a snapshot. Only a higher count is a change. */
  #keepRetries({ run, steps, seq }: RunSnapshot, isFirst: boolean): void {
    const { retries } = this.#tables
    const runId = run.run_id
    // Events received meanwhile may show that a step is being retried.
    const isNewest = seq === (this.connection(runId)?.seq ?? null)
    for (const { step_slug, retry } of steps) {
      const key = stepKey(runId, step_slug)
      const known = rawRow(retries, key)?.attempts_count ?? 0
      if (retry === null && isNewest) dropRow(retries, key)
      if (!retry || retry.attempts_count <= known) continue
      if (isFirst) retries.value[key] = retry
      else this.#putRetry(runId, step_slug, retry)
    }
  }
}
