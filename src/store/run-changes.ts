import type { RunChange } from '../model/changes.ts'
import { isTerminal, type Json, type PgflowRun, type PgflowStep } from '../model/entities.ts'
import { rawRow, type Row, type RunTables } from './run-tables.ts'

/** What subscribes to changes of runs. */
export interface RunChangeSubscriber {
  /** Whether anybody wants to know of changes. */
  isListening: () => boolean
  /** A run has changed, all of it is written, and nothing about it is in doubt. */
  onChange: (change: RunChange) => void
  /** A run (`stepSlug` null) or a step has an output that was not told before. */
  onOutput: (run: PgflowRun, stepSlug: string | null, output: Json | null) => void
}

/** What has changed in runs and was not told yet: the status that each row had when last told. */
export class RunChanges {
  readonly #tables: RunTables
  readonly #subscriber: RunChangeSubscriber
  /** By run, and by row without Vue. */
  readonly #before = new Map<string, Map<Row, string>>()

  constructor(tables: RunTables, subscriber: RunChangeSubscriber) {
    this.#tables = tables
    this.#subscriber = subscriber
  }

  /**
   * A run or step has another status or output than it had.
   * @param isFirst - whether it is only now read: then there was nothing before.
   */
  note(row: Row, before: string, isFirst = false): void {
    const ofRun = this.#before.get(row.run_id) ?? new Map<Row, string>()
    this.#before.set(row.run_id, ofRun)
    if (isFirst || !ofRun.has(row)) ofRun.set(row, before)
  }

  /** A step is not held any more: nothing is told of it. */
  drop(step: PgflowStep): void {
    this.#before.get(step.run_id)?.delete(step)
  }

  /** A run is not held any more, or was not until now. */
  forget(runId: string): void {
    this.#before.delete(runId)
  }

  /** Tells what has changed: first that the run has started, last that it has ended. */
  emit(runId: string): void {
    const changed = this.#before.get(runId)
    const run = changed && rawRow(this.#tables.runs, runId)
    this.forget(runId)
    if (!run) return
    const runBefore = changed.get(run)
    const isEnd = isTerminal(run.status)
    if (!isEnd) this.#tell(run, run, runBefore)
    for (const [row, before] of changed) if (row !== run) this.#tell(run, row, before)
    if (isEnd) this.#tell(run, run, runBefore)
  }

  #tell(run: PgflowRun, row: Row, before: string | undefined): void {
    if (before === undefined) return
    const { onChange, onOutput, isListening } = this.#subscriber
    const step = 'step_slug' in row ? row : null
    if (row.status !== before && isListening()) {
      const copy = { ...run }
      const from = before
      if (step) onChange({ kind: 'step', run: copy, step: { ...step }, from })
      else onChange({ kind: 'run', run: copy, from })
    }
    if (row.status !== 'completed') return
    // Without a seq the database does not tell the output of every step: null may mean unknown.
    const isTold = row.output !== null || this.#hasSeq(run.run_id)
    if (isTold) onOutput(run, step?.step_slug ?? null, row.output)
  }

  #hasSeq(runId: string): boolean {
    const connection = rawRow(this.#tables.connections, runId)
    return connection !== undefined && connection.seq !== null
  }
}
