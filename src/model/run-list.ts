import type { ListFilter, RunSummary } from './entities.ts'
import type { RunPatch } from './wire.ts'

/** Something new about a run: a broadcast of it, or what the store has learned by following it. */
export interface RunUpdate {
  run_id: string
  seq: number | null
  run: RunPatch
  /** There is more to know than this tells. */
  needsSnapshot: boolean
}

/** The newest runs of a query: all there are, or as many as were asked for. */
export interface ListRows {
  rows: readonly RunSummary[]
  /** Whether there are older ones. */
  hasMore: boolean
}

/** What an update makes of a list. */
export interface UpdateOutcome extends ListRows {
  /** The run belongs into the list, or may, and only a read can tell how. */
  needsRefetch: boolean
}

/** Whether a run belongs into the list of a query. */
export function isOfQuery({ flow, status }: ListFilter, run: RunPatch): boolean {
  return (flow === null || run.flow_slug === flow) && (status === null || run.status === status)
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
 * Applies an update to what is known of a run. Undefined when neither tells its place in a list; the
 * very object that is known when the update is not newer or says nothing else.
 */
export function mergeSummary(
  known: RunSummary | undefined,
  { run_id, seq, run }: RunUpdate,
): RunSummary | undefined {
  const { input: _input, output: _output, ...patch } = run
  // The end of a run does not tell it.
  if (patch.status === 'completed') patch.remaining_steps ??= 0
  if (known) {
    if (isOutdated(seq, known.seq)) return known
    // Which flow it is of does not change, whatever a broadcast says.
    const { flow_slug } = known
    const changes = withoutUndefined(patch)
    const merged: RunSummary = { ...known, ...changes, flow_slug, seq: seq ?? known.seq }
    return isSameSummary(known, merged) ? known : merged
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

/** Of two states of one run the newer; of two equally old ones the read one, which has a cursor. */
export function newerSummary(known: RunSummary | undefined, read: RunSummary): RunSummary {
  if (!known) return read
  const isOlder = known.seq !== null && read.seq !== null && read.seq < known.seq
  if (isOlder) return known.cursor === read.cursor ? known : { ...known, cursor: read.cursor }
  return isSameSummary(known, read) ? known : read
}

/** Whether an update of this seq is part already of what is known at the other. */
export function isOutdated(seq: number | null, known: number | null): boolean {
  return seq !== null && known !== null && seq <= known
}

/**
 * Applies an update of one of the caller's runs to a list: it enters, moves, changes or leaves.
 * @param known - the run as it is known, in this list or elsewhere.
 */
export function applyUpdate(
  list: ListRows,
  query: ListFilter,
  update: RunUpdate,
  known: RunSummary | undefined,
): UpdateOutcome {
  const isListed = list.rows.some((row) => row.run_id === update.run_id)
  const merged = mergeSummary(known, update)
  if (!merged) return { ...list, needsRefetch: isOfQuery(query, update.run) }
  const belongs = isOfQuery(query, merged)
  if (!belongs && !isListed) return { ...list, needsRefetch: false }
  const { rows, hasMore } = list
  const others = () => rows.filter((row) => row.run_id !== update.run_id)
  const placed = isListed
    ? rows.map((row) => (row.run_id === update.run_id ? merged : row)).sort(compareRuns)
    : insert(rows, merged, hasMore)
  // Of a run of which nothing was known, the event may not tell everything.
  const isIncomplete = !known && merged.remaining_steps === null && placed.includes(merged)
  const needsRefetch = update.needsSnapshot || isIncomplete
  return { rows: belongs ? placed : others(), hasMore, needsRefetch }
}

/** Updates in the order in which they happened, however they arrived. */
export function inSeqOrder(updates: readonly RunUpdate[]): RunUpdate[] {
  return [...updates].sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0))
}

/** Puts rows that were read into a list, where they are not in it already. */
export function addRows(rows: readonly RunSummary[], read: readonly RunSummary[]): RunSummary[] {
  const byId = new Map([...read, ...rows].map((row) => [row.run_id, row]))
  return [...byId.values()].sort(compareRuns)
}

/** The first `size` of a list. */
export function firstOf({ rows, hasMore }: ListRows, size: number): ListRows {
  return rows.length > size ? { rows: rows.slice(0, size), hasMore: true } : { rows, hasMore }
}

/** What is older than the last row belongs to what is not loaded yet, if there is more. */
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
