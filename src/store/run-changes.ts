import type { RunChange } from '../model/changes.ts'
import { isTerminal, type Json, type PgflowRun } from '../model/entities.ts'
import { rawRow, type RunTables } from './run-tables.ts'

/** What subscribes to changes of runs. */
export interface RunChangeSubscriber {
  /** Whether there is any listener. */
  isListening: () => boolean
  /** A run has changed, and all of the change is written and certain. */
  onChange: (change: RunChange) => void
  /** A run (`stepSlug` null) or a step has an output that was not emitted before. */
  onOutput: (run: PgflowRun, stepSlug: string | null, output: Json | null) => void
}

/** The changes of runs that were not emitted yet: the status of each row when last emitted. */
export class RunChanges {
  readonly #tables: RunTables
  readonly #subscriber: RunChangeSubscriber
  /**
   * By run, and by the key of the row; null after an emission. Deleting and adding an entry for
   * each event was a fifteenth of what an event costs.
   */
  readonly #before = new Map<string, Map<string, string> | null>()

  constructor(tables: RunTables, subscriber: RunChangeSubscriber) {
    this.#tables = tables
    this.#subscriber = subscriber
  }

  /**
   * A run or step has another status or output than before.
   * @param key - the key of its row.
   * @param isFirst - whether it was read for the first time, and had no status before.
   */
  note(runId: string, key: string, before: string, isFirst = false): void {
    let ofRun = this.#before.get(runId)
    if (!ofRun) this.#before.set(runId, (ofRun = new Map()))
    if (isFirst || !ofRun.has(key)) ofRun.set(key, before)
  }

  /** The run is not held any more. */
  forget(runId: string): void {
    this.#before.delete(runId)
  }

  /** No run is held any more. */
  clear(): void {
    this.#before.clear()
  }

  /** Emits the changes of a run: its start first, its end last. */
  emit(runId: string): void {
    const changed = this.#before.get(runId)
    if (changed) this.#before.set(runId, null)
    const run = changed && rawRow(this.#tables.runs, runId)
    if (!run) return
    const isEnd = isTerminal(run.status)
    if (!isEnd) this.#emitRow(runId, runId, changed.get(runId))
    for (const [key, before] of changed) if (key !== runId) this.#emitRow(runId, key, before)
    if (isEnd) this.#emitRow(runId, runId, changed.get(runId))
  }

  /** Looks the row up again: a subscriber may have removed it. */
  #emitRow(runId: string, key: string, before: string | undefined): void {
    if (before === undefined) return
    const { runs, steps, connections } = this.#tables
    const run = rawRow(runs, runId)
    const step = key === runId ? null : rawRow(steps, key)
    const row = step === null ? run : step
    if (!run || !row) return
    const { onChange, onOutput, isListening } = this.#subscriber
    if (row.status !== before && isListening()) {
      const copy = { ...run }
      if (step) onChange({ kind: 'step', run: copy, step: { ...step }, from: before })
      else onChange({ kind: 'run', run: copy, from: before })
    }
    if (row.status !== 'completed') return
    // Without a seq the database does not return the output of every step: null may mean unknown.
    const isComplete = row.output !== null || (rawRow(connections, runId)?.seq ?? null) !== null
    if (isComplete) onOutput(run, step?.step_slug ?? null, row.output)
  }
}
