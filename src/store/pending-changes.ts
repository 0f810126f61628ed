import type { PgflowRun, PgflowStep } from '../model/entities.ts'

/** A row of the store, raw. */
export type Row = PgflowRun | PgflowStep

/** What has changed in runs and was not told yet: the status that each row had when last told. */
export class PendingChanges {
  readonly #before = new Map<string, Map<Row, string>>()

  /**
   * A run or step has another status or output than it had.
   * @param isFirst - whether it is only now read: then there was nothing before.
   */
  note(row: Row, before: string, isFirst = false): void {
    const ofRun = this.#before.get(row.run_id) ?? new Map<Row, string>()
    this.#before.set(row.run_id, ofRun)
    if (isFirst || !ofRun.has(row)) ofRun.set(row, before)
  }

  /** A row is not held any more: nothing is told of it. */
  drop(row: Row): void {
    this.#before.get(row.run_id)?.delete(row)
  }

  /** What is to be told of a run; it counts as told from now on. */
  take(runId: string): ReadonlyMap<Row, string> | undefined {
    const ofRun = this.#before.get(runId)
    this.#before.delete(runId)
    return ofRun
  }
}
