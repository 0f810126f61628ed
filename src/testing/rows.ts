import type { Json, ListFilter, StepRetry } from '../model/entities.ts'

/** A row of `pgflow.runs`, and its error as this project's SQL adds it. */
export interface RunRow {
  run_id: string
  flow_slug: string
  status: string
  input: Json
  output: Json
  error_message: string | null
  remaining_steps: number
  started_at: string
  completed_at: string | null
  failed_at: string | null
}

/** A row of `pgflow.step_states`, and the output as this project's SQL adds it. */
export interface StepRow {
  flow_slug: string
  run_id: string
  step_slug: string
  step_index: number
  status: string
  output: Json
  error_message: string | null
  initial_tasks: number | null
  remaining_tasks: number | null
  remaining_deps: number
  created_at: string
  started_at: string | null
  completed_at: string | null
  failed_at: string | null
  skip_reason: string | null
  skipped_at: string | null
}

/** A step as a snapshot has it. */
export interface SnapshotStepRow extends StepRow {
  /** Of a step that is tried again, the task that was tried most often. */
  retry: StepRetry | null
}

/** What `get_run_with_states` returns of a run. */
export interface SnapshotRow {
  run: RunRow
  steps: SnapshotStepRow[]
  seq: number
}

/** A row of `list_runs`. */
export interface SummaryRow {
  run: Omit<RunRow, 'input' | 'output'>
  seq: number
  cursor: string
}

/** A broadcast as the SQL sends it. */
export interface Message {
  topic: string
  name: string
  payload: Record<string, Json>
}

/** Which page of a list is asked for. */
export interface PageQuery extends ListFilter {
  before: string | null
  limit: number
}

/** An error as PostgREST passes it on from the SQL. */
export class DatabaseError extends Error {
  readonly code: string
  readonly hint: string | null

  constructor(code: string, message: string, hint: string | null = null) {
    super(message)
    this.code = code
    this.hint = hint
  }
}

/**
 * The times of rows, as Postgres writes them. No two are the same, as with the microseconds of a
 * real database.
 */
export class RowClock {
  readonly #now: () => number
  #last = 0

  /** @param now - in ms since 1970. */
  constructor(now: () => number) {
    this.#now = now
  }

  next(): string {
    this.#last = Math.max(Math.floor(this.#now() * 1000), this.#last + 1)
    const micros = String(this.#last % 1000).padStart(3, '0')
    const iso = new Date(Math.floor(this.#last / 1000)).toISOString()
    return iso.replace('Z', `${micros}+00:00`)
  }
}
