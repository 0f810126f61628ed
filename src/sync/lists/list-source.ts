import type { PgflowError } from '../../errors.ts'
import { isTerminal, type RunSummary, type ListQuery } from '../../model/entities.ts'
import {
  addRows,
  applyUpdate,
  compareRuns,
  firstOf,
  inSeqOrder,
  isListed,
  isOfQuery,
  newerSummary,
  type ListRows,
  type RunUpdate,
} from '../../model/run-list.ts'
import { pause, withTimeout } from '../abort.ts'
import type { Fetch } from '../fetcher.ts'
import type { Merged, ResourceState, MergedSnapshot, Source } from '../source.ts'
import { doubtMostOfLists, gatherReads } from '../timings.ts'
import { listKey, type ListContext } from './types.ts'

/** The most runs that one RPC returns. */
const maxRuns = 100
/** The most runs that a probe asks for. */
const maxProbed = 200

/** What a list needs from all lists. */
export interface ListRelations {
  /** Called with the rows that a snapshot has changed: other lists may show them too. */
  onRead: (rows: readonly RunSummary[]) => void
  /** The seq of a run's last update, if that is so recent that a snapshot may be older. */
  recentSeq: (runId: string) => number | null
  /** The same for updates of the feed alone, whatever may have been missed since. */
  recentFeedSeq: (runId: string) => number | null
  /** The last seq that the feed itself has sent of a run, however long ago; null if none. */
  lastFeedSeq: (runId: string) => number | null
}

/**
 * The first runs of a query, as many as were asked for.
 *
 * Longer than other files, so that all that makes a list differ from a run is in one place.
 */
export class ListSource implements Source<ListRows, RunUpdate> {
  readonly key: string
  readonly isFinal = false
  readonly isUnconfirmed = false
  readonly isNothing = false
  // Only a snapshot finds new runs.
  readonly readInterval = 60_000
  readonly doubtInterval = doubtMostOfLists
  // A list is never started.
  readonly starting = null
  readonly #query: ListQuery
  readonly #context: ListContext
  readonly #lists: ListRelations
  /** How many runs are to be shown. */
  #size: number
  /** The size up to which the list was last filled. */
  #filledSize = 0
  /** Whether there is anything to show, also if a server has rendered it. */
  #isFilled: boolean
  /** While the rest is read, all rows, also those beyond the size: the rest follows the last one. */
  #uncut: ListRows | null = null
  /** The runs that were shown when the request under way was sent. */
  #atRequest: readonly RunSummary[] = []
  /** Whether what is shown was read here. */
  #isLoaded = false
  /** The shown runs for which the last probe found a higher seq, and all that it found. */
  #ahead: readonly string[] = []
  #seqs: ReadonlyMap<string, number | null> = new Map()

  constructor(query: ListQuery, context: ListContext, lists: ListRelations) {
    this.key = listKey(query)
    this.#query = query
    this.#context = context
    this.#lists = lists
    const { rows, hasMore } = this.#shown
    // Hydrated rows may be more than a page.
    this.#size = Math.max(query.pageSize, rows.length)
    this.#isFilled = context.state.holds(this.key)
    // Other lists may have changed hydrated rows while nobody observed this one.
    const right = rows.filter((row) => isOfQuery(query, row))
    if (this.#isFilled) context.state.write(this.key, { rows: right, hasMore })
  }

  get isShown(): boolean {
    return this.#isFilled
  }

  get isShort(): boolean {
    const { rows, hasMore } = this.#shown
    return hasMore && rows.length < this.#size
  }

  get isLoaded(): boolean {
    return this.#isLoaded
  }

  /** Extends the list by one page, unless there are no more rows or a page is under way. */
  grow(): 'nothing' | 'under way' | 'grown' {
    if (!this.#shown.hasMore) return 'nothing'
    // Not by the rows: fewer are shown after one has left, until the rest is read.
    if (this.#filledSize < this.#size) return 'under way'
    this.#size += this.#query.pageSize
    return 'grown'
  }

  /** Reads one row more than is missing: whether it exists is `hasMore`. */
  async fetch(fetch: Fetch<RunUpdate>, signal: AbortSignal, onSent: () => void): Promise<ListRows> {
    const { scheduler } = this.#context
    if (fetch.reason !== 'asked') {
      await pause(scheduler, gatherReads, signal, (end) => (fetch.sendNow = end))
    }
    onSent()
    const end = this.#shown.rows.at(-1)?.cursor ?? null
    fetch.isRest &&= end !== null
    const rows: RunSummary[] = []
    let before = fetch.isRest ? end : null
    for (;;) {
      const missing = this.#size - (fetch.isRest ? this.#shown.rows.length : 0) - rows.length
      if (missing < 0) return { rows, hasMore: true }
      const { runs, cursor } = await this.#page(before, Math.min(maxRuns, missing + 1), signal)
      rows.push(...runs)
      if (cursor === null || runs.length === 0) return { rows, hasMore: false }
      before = cursor
    }
  }

  onSent(): void {
    this.#uncut = null
    this.#atRequest = this.#shown.rows
  }

  receive(update: RunUpdate, isReadingRest: boolean): Merged | null {
    // Before the first snapshot only what a server has rendered is kept up to date.
    if (!this.#isLoaded && !isListed(this.#shown.rows, update)) return null
    const { state } = this.#context
    // After a failed request, the shown rows are newer than those kept for its snapshot.
    const before = isReadingRest ? this.#uncut : null
    const { needsRefetch, ...after } = this.#apply(before ?? this.#shown, update)
    this.#uncut = isReadingRest ? after : null
    const list = firstOf(after, this.#size)
    const hasChanged = state.write(this.key, list)
    if (!hasChanged && !needsRefetch) return null
    return { needsSnapshot: needsRefetch, isGap: false }
  }

  merge(snapshot: ListRows, fetch: Fetch<RunUpdate>, trustsDatabase: boolean): MergedSnapshot {
    const { state } = this.#context
    const rows = snapshot.rows
      .filter((row) => trustsDatabase || !this.#hasLeft(row))
      .map((row) => (trustsDatabase ? row : newerSummary(state.summary(row.run_id), row)))
      .filter((row) => isOfQuery(this.#query, row))
    const missing = trustsDatabase || fetch.isRest ? [] : this.#missingIn(snapshot)
    const isOutdated =
      !trustsDatabase &&
      (missing.length > 0 || snapshot.rows.some((row) => this.#isOutdated(row, fetch)))
    const kept = fetch.isRest ? (this.#uncut ?? this.#shown).rows : missing
    let list: ListRows = { rows: addRows(kept, rows), hasMore: snapshot.hasMore }
    let needsSnapshot = isOutdated
    for (const update of inSeqOrder(fetch.updates)) {
      const { needsRefetch, ...next } = this.#apply(list, update)
      // Received before, and not in the snapshot: the run has left, or the snapshot is outdated.
      const isDoubtful =
        !fetch.isRest && fetch.earlier.has(update) && next.rows.length > list.rows.length
      if (!isDoubtful || this.#isRecent(update.run_id)) list = next
      needsSnapshot ||= needsRefetch || isDoubtful
    }
    this.#uncut = null
    list = firstOf(list, this.#size)
    const changed = list.rows.filter((row) => state.summary(row.run_id) !== row)
    const isMissed = !fetch.isRest && this.#hasMissed(list.rows)
    const isNews = state.write(this.key, list)
    this.#isFilled = true
    this.#isLoaded = true
    this.#lists.onRead(changed)
    if (!this.isShort) this.#filledSize = this.#size
    return { isNews, isMissed, isOutdated, isGap: false, needsSnapshot }
  }

  probedIds(isReceiving: boolean): readonly string[] {
    // Without the feed only a snapshot finds new runs.
    if (!isReceiving) return []
    return this.#going.map(({ run_id }) => run_id).slice(0, maxProbed)
  }

  isBehind(seqs: ReadonlyMap<string, number | null>): boolean {
    const going = this.#going
    const isAhead = ({ run_id, seq }: RunSummary) => (seqs.get(run_id) ?? 0) > (seq ?? 0)
    this.#ahead = going.filter(isAhead).map(({ run_id }) => run_id)
    this.#seqs = seqs
    // Runs that were asked for and are not in the response were deleted.
    return this.#ahead.length > 0 || going.some(({ run_id }) => seqs.get(run_id) === null)
  }

  explain(error: PgflowError): PgflowError {
    return error
  }

  onRefused({ code }: PgflowError): void {
    // The user whose runs are shown is not signed in any more.
    if (code !== 'not_signed_in') return
    this.#isLoaded = false
    this.#context.state.write(this.key, { rows: [], hasMore: false })
  }

  show({ status, error, isAwaited }: ResourceState): void {
    // A list on a server keeps the error of a failed request.
    if (status === 'idle') return this.#context.state.setIdle(this.key)
    this.#context.state.setState(this.key, {
      isLoading: isAwaited || !(this.#isFilled || error),
      connection: { status, error: error?.toJSON() ?? null },
    })
  }

  readUnfollowed(): void {
    // A list is read only while somebody observes it.
  }

  drop(): void {
    // A server passes its lists on to the browser.
    if (!this.#context.isServer) this.forget()
  }

  forget(): void {
    this.#context.state.forget(this.key)
  }

  /** Corrects the rows that the request under way continues from. */
  forgetAbove(runId: string, seq: number): void {
    if (!this.#uncut) return
    const isWrong = (row: RunSummary) => row.run_id === runId && (row.seq ?? 0) > seq
    const rows = this.#uncut.rows.map((row) => (isWrong(row) ? { ...row, seq: null } : row))
    this.#uncut = { ...this.#uncut, rows }
  }

  get #shown(): ListRows {
    return this.#context.state.rows(this.key)
  }

  /** The shown runs that have not ended. */
  get #going(): RunSummary[] {
    return this.#shown.rows.filter(isGoing)
  }

  /** Whether the end of a run was missed. The feed sends ends, but not every change. */
  #hasMissed(read: readonly RunSummary[]): boolean {
    const ahead = this.#ahead
    this.#ahead = []
    return ahead.some((runId) => {
      // The feed had sent it, and an outdated snapshot had undone it.
      if ((this.#lists.lastFeedSeq(runId) ?? 0) >= (this.#seqs.get(runId) ?? 0)) return false
      const row = read.find(({ run_id }) => run_id === runId)
      return row ? isTerminal(row.status) : this.#query.status !== null
    })
  }

  #isRecent(runId: string): boolean {
    return this.#lists.recentSeq(runId) !== null
  }

  /** Whether updates beyond the row and the store were received: the run has left, or never entered. */
  #hasLeft(row: RunSummary): boolean {
    const { run_id, seq } = newerSummary(this.#context.state.summary(row.run_id), row)
    return this.#lastSeq(run_id) > (seq ?? Infinity)
  }

  /** The shown runs with a recent update that the snapshot should contain and does not. */
  #missingIn({ rows, hasMore }: ListRows): RunSummary[] {
    const last = rows.at(-1)
    return this.#shown.rows.filter((row) => {
      const isCovered = !hasMore || (last && compareRuns(row, last) < 0)
      const isLacking = isListed(this.#atRequest, row) && !isListed(rows, row)
      return isCovered && isLacking && this.#isRecent(row.run_id)
    })
  }

  /** Whether a row is older than what is known, and no update received meanwhile explains it. */
  #isOutdated({ run_id, seq }: RunSummary, { updates, earlier }: Fetch<RunUpdate>): boolean {
    const held = this.#context.state.summary(run_id)?.seq ?? 0
    const known = Math.max(held, this.#lastSeq(run_id))
    if ((seq ?? Infinity) >= known) return false
    const isLate = (update: RunUpdate) => update.run_id === run_id && (update.seq ?? 0) >= known
    return !updates.some((update) => isLate(update) && !earlier.has(update))
  }

  /** The last seq received of a run, where a snapshot may be older; 0 if there is none. */
  #lastSeq(runId: string): number {
    // Updates of the feed count even if something was missed since.
    return this.#lists.recentSeq(runId) ?? this.#lists.recentFeedSeq(runId) ?? 0
  }

  #apply(list: ListRows, update: RunUpdate) {
    const known = list.rows.find((row) => row.run_id === update.run_id)
    const { state } = this.#context
    return applyUpdate(list, this.#query, update, known ?? state.summary(update.run_id))
  }

  #page(before: string | null, limit: number, signal: AbortSignal) {
    const { transport, scheduler, times } = this.#context
    const { flow, status } = this.#query
    return withTimeout(scheduler, times.snapshotTimeout, [signal], (ended) =>
      transport.listRuns({ flow, status }, before, limit, ended),
    )
  }
}

function isGoing({ status, seq }: RunSummary): boolean {
  return seq !== null && !isTerminal(status)
}
