import type { PgflowError } from '../../errors.ts'
import { isTerminal, type RunSummary, type ListQuery } from '../../model/entities.ts'
import {
  addRows,
  applyUpdate,
  compareRuns,
  firstOf,
  inSeqOrder,
  isOfQuery,
  newerSummary,
  type ListRows,
  type RunUpdate,
} from '../../model/run-list.ts'
import { pause, withTimeout } from '../abort.ts'
import type { Fetch } from '../fetcher.ts'
import type { Merged, ResourceState, Settled, Source } from '../source.ts'
import { doubtMostOfLists, gatherReads } from '../timings.ts'
import { listKey, type ListContext } from './types.ts'

/** The most runs that one RPC returns. */
const maxRuns = 100
/** The most runs that a probe asks for. */
const maxProbed = 200

/** What a list has to do with all lists. */
export interface ListRelations {
  /** Rows that a read has changed: other lists may show them too. */
  onRead: (rows: readonly RunSummary[]) => void
  /** The seq of a run of which something was heard so lately that an answer may be older. */
  heardLately: (runId: string) => number | null
  /** The seq of a run that the feed told lately, whatever may have been missed since. */
  toldLately: (runId: string) => number | null
  /** The last seq that the feed itself told of a run, however long ago; null if none is known. */
  toldByFeed: (runId: string) => number | null
}

/** The first runs of a query, as many as were asked for. */
export class ListSource implements Source<ListRows, RunUpdate> {
  readonly key: string
  readonly isSettled = false
  readonly isUnconfirmed = false
  readonly isNothing = false
  // Only a read finds runs that are new.
  readonly readInterval = 60_000
  readonly doubtInterval = doubtMostOfLists
  // The feed tells of many runs, and not of every change of each.
  readonly starting = null
  readonly #query: ListQuery
  readonly #context: ListContext
  readonly #lists: ListRelations
  /** How many runs are to be shown. */
  #size: number
  /** Whether there is anything to show, be it from a server. */
  #isFilled: boolean
  /** While the rest is read, the rows without those cut off: the answer goes on after the last. */
  #uncut: ListRows | null = null
  /** Whether what is shown was read here. */
  #isLoaded = false
  /** The shown runs that the last probe has found to be ahead. */
  #ahead: ReadonlyMap<string, number> = new Map()

  constructor(query: ListQuery, context: ListContext, lists: ListRelations) {
    this.key = listKey(query)
    this.#query = query
    this.#context = context
    this.#lists = lists
    // What was hydrated may be more than a page.
    this.#size = Math.max(query.pageSize, this.#shown.rows.length)
    this.#isFilled = context.state.holds(this.key)
  }

  get isShown(): boolean {
    return this.#isFilled
  }

  get isLoaded(): boolean {
    return this.#isLoaded
  }

  /** Makes room for one more page: false if there is none, or one is on its way already. */
  grow(): 'nothing' | 'under way' | 'grown' {
    const { rows, hasMore } = this.#shown
    if (!hasMore) return 'nothing'
    if (rows.length < this.#size) return 'under way'
    // Not by the rows: while a read is under way one may be shown that has pushed out another.
    this.#size += this.#query.pageSize
    return 'grown'
  }

  /** Reads one row more than is missing: that it exists says that there is more. */
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
  }

  receive(update: RunUpdate, isReadingRest: boolean): Merged | null {
    if (!this.#isLoaded) return null
    const { state } = this.#context
    // After a read that has failed, what is shown is newer than what was kept for its answer.
    const before = isReadingRest ? this.#uncut : null
    const { needsRefetch, ...after } = this.#apply(before ?? this.#shown, update)
    this.#uncut = isReadingRest ? after : null
    const list = firstOf(after, this.#size)
    const hasChanged = state.write(this.key, list)
    if (!hasChanged && !needsRefetch) return null
    return { needsSnapshot: needsRefetch, isGap: false, needsRest: this.#isShort(list) }
  }

  settle(answer: ListRows, fetch: Fetch<RunUpdate>, trustsDatabase: boolean): Settled {
    const { state } = this.#context
    const rows = answer.rows
      .filter((row) => trustsDatabase || !this.#hasLeft(row))
      .map((row) => (trustsDatabase ? row : newerSummary(state.summary(row.run_id), row)))
      .filter((row) => isOfQuery(this.#query, row))
    const missing = trustsDatabase || fetch.isRest ? [] : this.#missingIn(answer)
    const isOutdated =
      missing.length > 0 || answer.rows.some((row) => this.#isOutdated(row, fetch.updates))
    const kept = fetch.isRest ? (this.#uncut ?? this.#shown).rows : missing
    let list: ListRows = { rows: addRows(kept, rows), hasMore: answer.hasMore }
    let needsSnapshot = missing.length > 0
    for (const update of inSeqOrder(fetch.updates)) {
      const { needsRefetch, ...next } = this.#apply(list, update)
      // Heard before, and not in the answer: the run has left unheard, or the answer is outdated.
      const isDoubtful = fetch.earlier.has(update) && next.rows.length > list.rows.length
      if (!isDoubtful || this.#wasHeard(update.run_id)) list = next
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
    const needsRest = this.#isShort(list)
    return { isNews, isMissed, isOutdated, isGap: false, needsSnapshot, needsRest }
  }

  probedIds(isHearing: boolean): readonly string[] {
    // Without the feed only a read finds runs that are new.
    if (!isHearing) return []
    return this.#going.map(({ run_id }) => run_id).slice(0, maxProbed)
  }

  isBehind(seqs: ReadonlyMap<string, number>): boolean {
    const probed = this.#going.slice(0, maxProbed)
    const isAhead = ({ run_id, seq }: RunSummary) => (seqs.get(run_id) ?? 0) > (seq ?? 0)
    this.#ahead = new Map(
      probed.filter(isAhead).map(({ run_id }) => [run_id, seqs.get(run_id) ?? 0]),
    )
    // What is not in the answer was deleted.
    return this.#ahead.size > 0 || probed.some(({ run_id }) => !seqs.has(run_id))
  }

  explain(error: PgflowError): PgflowError {
    return error
  }

  onRefused({ code }: PgflowError): void {
    // Whoever it was that is shown, they are not signed in any more.
    if (code !== 'not_signed_in') return
    this.#isLoaded = false
    this.#context.state.write(this.key, { rows: [], hasMore: false })
  }

  show({ status, error, isAwaited }: ResourceState): void {
    // What is left stays as it was: on a server, with the reason why it could not be read.
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
    // A server's lists are for the browser that takes them over.
    if (!this.#context.isServer) this.forget()
  }

  forget(): void {
    this.#context.state.forget(this.key)
  }

  /** The rows that a read goes on from may be wrong, too. */
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

  #isShort({ rows, hasMore }: ListRows): boolean {
    return hasMore && rows.length < this.#size
  }

  /** Whether a run has ended unheard: the feed tells of that, but not of every change. */
  #hasMissed(read: readonly RunSummary[]): boolean {
    const ahead = [...this.#ahead]
    this.#ahead = new Map()
    const byId = new Map(read.map((row) => [row.run_id, row]))
    return ahead.some(([runId, seq]) => {
      // An outdated answer had taken it back.
      if ((this.#lists.toldByFeed(runId) ?? 0) >= seq) return false
      const row = byId.get(runId)
      return row ? isTerminal(row.status) : this.#query.status !== null
    })
  }

  #wasHeard(runId: string): boolean {
    return this.#lists.heardLately(runId) !== null
  }

  /** Whether more was heard of a run than the row or the store tells: it has left, or was never here. */
  #hasLeft(row: RunSummary): boolean {
    const { run_id, seq } = newerSummary(this.#context.state.summary(row.run_id), row)
    // What the feed told is true also where something was missed since.
    const told = this.#lists.heardLately(run_id) ?? this.#lists.toldLately(run_id) ?? 0
    return told > (seq ?? Infinity)
  }

  /** The shown runs that were heard of lately, and that an answer does not have in their place. */
  #missingIn({ rows, hasMore }: ListRows): RunSummary[] {
    const ids = new Set(rows.map(({ run_id }) => run_id))
    const last = rows.at(-1)
    return this.#shown.rows.filter((row) => {
      const isCovered = !hasMore || (last !== undefined && compareRuns(row, last) < 0)
      return isCovered && !ids.has(row.run_id) && this.#wasHeard(row.run_id)
    })
  }

  /** Whether a row is older than what is known, and nothing that came meanwhile explains it. */
  #isOutdated({ run_id, seq }: RunSummary, updates: readonly RunUpdate[]): boolean {
    const known = this.#context.state.summary(run_id)?.seq ?? 0
    if ((seq ?? Infinity) >= known) return false
    return !updates.some((update) => update.run_id === run_id && (update.seq ?? 0) >= known)
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
