import { toPgflowError, type PlainError } from './errors.ts'
import type { PgflowStep, RunSnapshot } from './model/entities.ts'
import type { RunUpdate } from './model/run-list.ts'
import type { RunEvent } from './model/wire.ts'
import type { TraceKind, TraceRecord } from './sync/trace.ts'

/** The content of a trace record, as it was when the record was made. */
export type TraceContent =
  | { type: 'none' }
  | { type: 'event'; event: RunEvent }
  | { type: 'snapshot'; snapshot: RunSnapshot }
  /** A run in an update of a list. */
  | { type: 'update'; update: RunUpdate }
  /** The rows of a list's snapshot. */
  | { type: 'rows'; runIds: string[]; hasMore: boolean }
  | { type: 'error'; error: PlainError }
  | { type: 'reason'; reason: string }

/** A trace record with its time, kept for later. */
export interface KeptRecord {
  /** A number that identifies the record. */
  id: number
  /** In ms since 1970. */
  at: number
  kind: TraceKind
  /** The id of the run, or the key of the list. */
  key: string
  content: TraceContent
}

/** The limits of a log. */
export interface TraceLimits {
  /** Records of one run or list. */
  perKey: number
  /** Records of all. */
  total: number
  /** Rows of snapshots and lists in all records, which take the most memory. */
  rows: number
}

const defaultLimits: TraceLimits = { perKey: 250, total: 2_000, rows: 20_000 }

/** The last trace records, of each run or list and of all. New records replace the oldest. */
export class TraceLog {
  readonly #limits: TraceLimits
  readonly #listeners = new Set<(record: KeptRecord) => void>()
  #records: KeptRecord[] = []
  #rows = 0
  #made = 0
  /** By key: how many records are kept, and how many were dropped. */
  readonly #counts = new Map<string, { kept: number; dropped: number }>()

  constructor(limits: TraceLimits = defaultLimits) {
    this.#limits = limits
  }

  /**
   * Keeps a record. Its content is copied, because the store writes into the same objects later.
   */
  add({ kind, key, detail }: TraceRecord): void {
    const record = { id: this.#made++, at: Date.now(), kind, key, content: contentOf(detail) }
    this.#records.push(record)
    this.#rows += rowsOf(record)
    const count = this.#counts.get(key) ?? { kept: 0, dropped: 0 }
    count.kept += 1
    this.#counts.set(key, count)
    this.#makeRoom(key, count.kept)
    for (const listener of this.#listeners) listener(record)
  }

  /** The records of a run or list, the oldest first. */
  of(key: string): KeptRecord[] {
    return this.#records.filter((record) => record.key === key)
  }

  /** All records, the oldest first. */
  get all(): readonly KeptRecord[] {
    return this.#records
  }

  /** How many older records of a run or list are not kept any more. */
  droppedOf(key: string): number {
    return this.#counts.get(key)?.dropped ?? 0
  }

  /** Calls `listener` with each record that follows, until the returned function is called. */
  listen(listener: (record: KeptRecord) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Drops everything. */
  clear(): void {
    this.#records = []
    this.#rows = 0
    this.#counts.clear()
  }

  #makeRoom(key: string, kept: number): void {
    const { perKey, total, rows } = this.#limits
    if (kept > perKey) this.#drop(this.#records.findIndex((record) => record.key === key))
    // The newest stays, however large it is.
    while (this.#records.length > 1 && (this.#records.length > total || this.#rows > rows)) {
      this.#drop(0)
    }
  }

  #drop(index: number): void {
    const [record] = this.#records.splice(index, 1)
    if (!record) return
    this.#rows -= rowsOf(record)
    const count = this.#counts.get(record.key)
    if (!count) return
    count.kept -= 1
    count.dropped += 1
    if (count.kept === 0) this.#counts.delete(record.key)
  }
}

function rowsOf({ content }: KeptRecord): number {
  if (content.type === 'snapshot') return content.snapshot.steps.length + 1
  return content.type === 'rows' ? content.runIds.length : 1
}

/** The content of a record, by the form of its detail. */
function contentOf(detail: unknown): TraceContent {
  if (typeof detail === 'string') return { type: 'reason', reason: detail }
  if (detail instanceof Error) return { type: 'error', error: toPgflowError(detail).toJSON() }
  if (isEvent(detail)) return { type: 'event', event: copyOfEvent(detail) }
  if (isSnapshot(detail)) return { type: 'snapshot', snapshot: copyOfSnapshot(detail) }
  if (isUpdate(detail)) return { type: 'update', update: { ...detail, run: { ...detail.run } } }
  if (isRows(detail)) {
    const { rows, hasMore } = detail
    return { type: 'rows', runIds: rows.map(({ run_id }) => run_id), hasMore }
  }
  return { type: 'none' }
}

type Fields = Record<string, unknown>

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// The sync passes parsed values: only the kinds have to be distinguished.
function isEvent(detail: unknown): detail is RunEvent {
  return isUpdate(detail) && 'type' in detail && 'step' in detail
}

function isSnapshot(detail: unknown): detail is RunSnapshot {
  return isObject(detail) && isObject(detail.run) && Array.isArray(detail.steps)
}

function isUpdate(detail: unknown): detail is RunUpdate {
  return isObject(detail) && isObject(detail.run) && 'run_id' in detail
}

function isRows(detail: unknown): detail is { rows: { run_id: string }[]; hasMore: boolean } {
  return isObject(detail) && Array.isArray(detail.rows) && typeof detail.hasMore === 'boolean'
}

/** Inputs and outputs are not copied: they are replaced as a whole, never written into. */
function copyOfSnapshot({ run, steps, seq }: RunSnapshot): RunSnapshot {
  return { run: { ...run }, steps: steps.map(copyOfStep), seq }
}

function copyOfStep<Step extends Partial<PgflowStep>>(step: Step): Step {
  return { ...step }
}

function copyOfEvent({ run, step, retry, ...event }: RunEvent): RunEvent {
  return {
    ...event,
    run: { ...run },
    step: step && { slug: step.slug, patch: { ...step.patch } },
    retry: retry && { ...retry },
  }
}
