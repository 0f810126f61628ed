import type { Json } from '../model/entities.ts'
import { runTopic } from '../model/wire.ts'
import type { Message, RunRow, StepRow } from './rows.ts'

/** How far behind the clock the seq of a run without a counter is, in ms. */
const hour = 3_600_000
/** For how long such a seq stays the same, in ms. */
const quantum = 2 ** 20

/** The events of one run: counted, and kept until the transaction that caused them commits. */
export class RunEvents {
  readonly #run: RunRow
  #seq = 0
  #waiting: Message[] = []
  /** The time in ms from which the next event is counted, where the counter was lost. */
  #nextSeq: number | null = null

  constructor(run: RunRow) {
    this.#run = run
  }

  /** The last event, those of the open transaction included. */
  get seq(): number {
    return this.#seq
  }

  /** The messages of the transaction that commits. */
  take(): Message[] {
    const messages = this.#waiting
    this.#waiting = []
    return messages
  }

  /**
   * From now on it is counted from the clock, as the SQL does; until the next event from before.
   */
  loseCounter(now: number): void {
    this.#seq = Math.floor((now - hour) / quantum) * quantum
    this.#nextSeq = now
  }

  /** A change of a step. */
  step(row: StepRow, change: string, fields: Record<string, Json>): void {
    const { step_slug, status } = row
    const event_type = `step:${change}`
    this.#add(`${step_slug}:${change}`, { event_type, step_slug, status, ...fields })
  }

  /** An unusual change of a step: sends all its fields. */
  wholeStep(row: StepRow): void {
    const { output, error_message, initial_tasks, started_at, completed_at, failed_at } = row
    const { skip_reason, skipped_at } = row
    const times = { started_at, completed_at, failed_at, skip_reason, skipped_at }
    const { remaining_steps } = this.#run
    this.step(row, row.status, { output, error_message, initial_tasks, ...times, remaining_steps })
  }

  /** A change of the run. */
  run(fields: Record<string, Json> & { status: string }): void {
    const name = `run:${fields.status}`
    this.#add(name, { event_type: name, ...fields })
  }

  /** An unusual change of the run: sends all its fields. */
  wholeRun(): void {
    const { run_id: _id, ...fields } = this.#run
    this.run(fields)
  }

  #add(name: string, fields: Record<string, Json>): void {
    const { run_id } = this.#run
    this.#seq = this.#nextSeq ?? this.#seq + 1
    this.#nextSeq = null
    const payload = { run_id, seq: this.#seq, ...fields }
    this.#waiting.push({ topic: runTopic(run_id), name, payload })
  }
}
