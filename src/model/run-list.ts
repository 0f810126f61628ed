import type { ListFilter, RunSummary } from './entities.ts'
import type { RunPatch } from './wire.ts'

/** A change of a run for lists: from an event, or from what the store has written. */
export interface RunUpdate {
  run_id: string
  seq: number | null
  run: RunPatch
  /** The change is incomplete: only a snapshot has the rest. */
  needsSnapshot: boolean
}

/** The newest runs of a query: all of them, or as many as were requested. */
export interface ListRows {
  rows: readonly RunSummary[]
  /** Whether there are older ones. */
  hasMore: boolean
}

/** What an update changes in a list. */
export interface UpdateOutcome extends ListRows {
  /** The run belongs to the list, or may, and only a request can find out. */
  needsRefetch: boolean
}

/** Whether a run belongs to the list of a query. */
export function isOfQuery({ flow, status }: ListFilter, run: RunPatch): boolean {
  return (flow === null || run.flow_slug === flow) && (status === null || run.status === status)
}

/** Whether a run is among these rows. */
export function isListed(rows: readonly RunSummary[], { run_id: id }: { run_id: string }): boolean {
  return rows.some(({ run_id }) => run_id === id)
}

/** Newest first, as the database orders a list. Its times are texts of one format. */
export function compareRuns(a: RunSummary, b: RunSummary): number {
  if (a.started_at === b.started_at) return compareTexts(b.run_id, a.run_id)
  return compareTexts(b.started_at ?? '', a.started_at ?? '')
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}

/**
 * Applies an update to a run that is held. Undefined if both together lack its position in a list;
 * the same object if the update is not newer or changes nothing.
 */
export function mergeSummary(
  held: RunSummary | undefined,
  { run_id, seq, run }: RunUpdate,
): RunSummary | undefined {
  const { input: _input, output: _output, ...patch } = run
  // The event of a run's end does not contain it.
  if (patch.status === 'completed') patch.remaining_steps ??= 0
  if (held) {
    if (isOutdated(seq, held.seq)) return held
    // The flow of a run never changes, whatever a broadcast contains.
    const { flow_slug } = held
    const changes = withoutUndefined(patch)
    const merged: RunSummary = { ...held, ...changes, flow_slug, seq: seq ?? held.seq }
    return isSameSummary(held, merged) ? held : merged
  }
  const { flow_slug, status, started_at } = patch
  if (flow_slug === undefined || status === undefined || typeof started_at !== 'string') {
    return undefined
  }
  return {
    run_id,
    flow_slug,
    status,
    started_at,
    error_message: patch.error_message ?? null,
    remaining_steps: patch.remaining_steps ?? null,
    completed_at: patch.completed_at ?? null,
    failed_at: patch.failed_at ?? null,
    seq,
    cursor: null,
  }
}

/**
 * The newer of two states of one run; of two equally old ones that from a snapshot, with a cursor.
 */
export function newerSummary(held: RunSummary | undefined, read: RunSummary): RunSummary {
  if (!held) return read
  const isOlder = held.seq !== null && read.seq !== null && read.seq < held.seq
  if (isOlder) return held.cursor === read.cursor ? held : { ...held, cursor: read.cursor }
  // Rows of plain pgflow have no error. What is held is from the run itself.
  const isPlain = read.seq === null && read.status === held.status
  const row = isPlain ? { ...read, error_message: read.error_message ?? held.error_message } : read
  return isSameSummary(held, row) ? held : row
}

/** Whether an update with this seq is already part of the state with the other. */
export function isOutdated(seq: number | null, held: number | null): boolean {
  return seq !== null && held !== null && seq <= held
}

/**
 * Applies an update of one of the caller's runs to a list: the run enters, moves, changes or
 * leaves.
 * @param held - the run as it is held, in this list or in another.
 */
export function applyUpdate(
  list: ListRows,
  query: ListFilter,
  update: RunUpdate,
  held: RunSummary | undefined,
): UpdateOutcome {
  const wasListed = isListed(list.rows, update)
  const merged = mergeSummary(held, update)
  if (!merged) return { ...list, needsRefetch: isOfQuery(query, update.run) }
  const belongs = isOfQuery(query, merged)
  if (!belongs && !wasListed) return { ...list, needsRefetch: false }
  const { rows, hasMore } = list
  const others = () => rows.filter((row) => row.run_id !== update.run_id)
  const placed = wasListed
    ? rows.map((row) => (row.run_id === update.run_id ? merged : row)).sort(compareRuns)
    : insert(rows, merged, hasMore)
  // If no snapshot had the run, the event may be incomplete.
  const isIncomplete = !merged.cursor && merged.remaining_steps === null && placed.includes(merged)
  const needsRefetch = update.needsSnapshot || isIncomplete
  return { rows: belongs ? placed : others(), hasMore, needsRefetch }
}

/** Updates in the order of their seq. */
export function inSeqOrder(updates: readonly RunUpdate[]): RunUpdate[] {
  return [...updates].sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0))
}

/** Adds rows that were read to a list, unless it has them already. */
export function addRows(rows: readonly RunSummary[], read: readonly RunSummary[]): RunSummary[] {
  const byId = new Map([...read, ...rows].map((row) => [row.run_id, row]))
  return [...byId.values()].sort(compareRuns)
}

/** The first `size` of a list. */
export function firstOf({ rows, hasMore }: ListRows, size: number): ListRows {
  return rows.length > size ? { rows: rows.slice(0, size), hasMore: true } : { rows, hasMore }
}

/** A row older than the last one belongs to a later page, if there are more. */
function insert(
  rows: readonly RunSummary[],
  row: RunSummary,
  hasMore: boolean,
): readonly RunSummary[] {
  const place = rows.findIndex((other) => compareRuns(row, other) < 0)
  if (place !== -1) return [...rows.slice(0, place), row, ...rows.slice(place)]
  return hasMore ? rows : [...rows, row]
}

function isSameSummary(a: RunSummary, b: RunSummary): boolean {
  return summaryFields.every((field) => a[field] === b[field])
}

const summaryFields = [
  'run_id',
  'flow_slug',
  'status',
  'error_message',
  'remaining_steps',
  'started_at',
  'completed_at',
  'failed_at',
  'seq',
  'cursor',
] as const satisfies (keyof RunSummary)[]

function withoutUndefined(patch: RunPatch): Partial<RunSummary> {
  const entries = Object.entries(patch).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries)
}
