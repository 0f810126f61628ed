import { PgflowError } from '../errors.ts'
import {
  addRows,
  applyNews,
  firstOf,
  inSeqOrder,
  isOfQuery,
  type ListRows,
  type RunNews,
} from '../model/run-list.ts'
import { statusOf } from './connection-status.ts'
import { ListReads, type ListRead } from './list-reads.ts'
import type { ListQuery, ListSyncContext } from './list-types.ts'
import { listKey } from './list-types.ts'
import type { RunFeed } from './run-feed.ts'
import { OutdatedAnswers } from './outdated-answers.ts'
import { RecentSeqs } from './recent-seqs.ts'
import { Watchdog } from './watchdog.ts'

/** How long a read waits for other reasons to read, in ms. */
const gatherTime = 250
const ignore = () => undefined

/**
 * Keeps one list true: the first runs of a query, as many as were asked for. Reads are the truth;
 * what is heard of single runs is put in its place at once, and put there again when the answer to
 * a read that was sent before comes in.
 */
export class ListSync {
  readonly #key: string
  readonly #query: ListQuery
  readonly #context: ListSyncContext
  readonly #feed: RunFeed
  readonly #watchdog: Watchdog
  #reads: ListReads
  /** How many runs are to be shown. */
  #size: number
  #isOpen = false
  #isDisposed = false
  /** It has failed in a way that will not pass by itself: nothing is asked without a reason. */
  #isOver = false
  /** Whether there is anything to show, be it from before. */
  #isFilled: boolean
  /** Whether what is shown was read since it was opened, and for the user of now. */
  #isLoaded = false
  /** Something may be missing: joined anew, or a message that held too little. */
  #isBehind = true
  /** The same, since the last read of the whole list was sent. */
  #isMissing = false
  /** The seq of whatever was heard of late, of runs that are not shown too. */
  readonly #heard = new RecentSeqs()
  #error: PgflowError | null = null
  /** A read has succeeded since the feed went down: polling works. */
  #hasPolled = false
  readonly #outdated = new OutdatedAnswers()
  #cancelSoon: (() => void) | null = null

  constructor(query: ListQuery, context: ListSyncContext, feed: RunFeed) {
    this.#key = listKey(query)
    this.#query = query
    this.#context = context
    this.#feed = feed
    this.#reads = this.#createReads()
    // What was hydrated may be more than a page.
    this.#size = Math.max(query.pageSize, this.#shown.rows.length)
    this.#isFilled = context.sink.holds(this.#key)
    this.#watchdog = new Watchdog({
      scheduler: context.scheduler,
      isWanted: () => this.#isKept && !this.#reads.current && !context.isServer,
      isLive: () => feed.isJoined,
      ask: () => this.#isAwake() && this.#ask(),
    })
  }

  /** Reads the list at once, and keeps it true from now on. */
  open(): void {
    if (this.#isKept) return
    this.#isOpen = true
    this.#ask()
  }

  /** Leaves for good. */
  dispose(): void {
    this.#isOpen = false
    this.#stop('The list is not observed any more.')
    this.#show()
    this.#isDisposed = true
  }

  /** Somebody else is signed in, or the store was reset: what is shown is not to be. */
  reset(): void {
    this.#stop('Somebody else is signed in now, or the store was reset.')
    this.#reads = this.#createReads()
    this.#isFilled = false
    this.#isLoaded = false
    this.#isOver = false
    this.#error = null
    this.#hasPolled = false
    this.#heard.clear()
    this.#size = this.#query.pageSize
    this.#isBehind = true
    this.#context.sink.write(this.#key, { rows: [], hasMore: false })
    this.#watchdog.forgive()
    if (this.#isAwake()) this.#ask()
    else this.#show()
  }

  /** Something may have been missed until now. */
  fallBehind(): void {
    this.#isBehind = true
    this.#isMissing = true
    this.#askSoon('all')
    this.#show()
  }

  /** The feed is not heard any more. */
  goDown(): void {
    this.#isBehind = true
    this.#hasPolled = false
    this.#watchdog.hurry()
    this.#watchdog.schedule()
    this.#show()
  }

  /** The page is seen again, or has its network back: whatever was missed is asked for. */
  wake(): void {
    this.#watchdog.forgive()
    if (this.#isAwake()) {
      this.#isMissing = true
      this.#askSoon('all')
    }
    this.#show()
  }

  /** @param isOwn - whether the run is certainly the caller's, so that it may enter. */
  hear(news: RunNews, isOwn: boolean): void {
    const isKnown = isOwn || this.#context.sink.summary(news.run_id) !== undefined
    if (!isKnown || !this.#heard.isNew(news)) return
    this.#reads.current?.since.push(news)
    if (!this.#isLoaded) return
    const { isUnclear, ...after } = this.#apply(this.#shown, news)
    // A read that goes on at the end must not find the end moved away.
    const list = this.#reads.current ? after : firstOf(after, this.#size)
    if (this.#context.sink.write(this.#key, list)) this.#watchdog.hurry()
    if (isUnclear) this.fallBehind()
    else if (list.hasMore && list.rows.length < this.#size) this.#askSoon('rest')
  }

  /**
   * Resolves once an answer to a read that was sent after this call is shown.
   * @throws PgflowError
   */
  refresh(): Promise<void> {
    return this.#read('all', true)
  }

  /**
   * Resolves once the next page is shown, if there is one. Asking again meanwhile asks for no more.
   * @throws PgflowError
   */
  async loadMore(): Promise<void> {
    if (!this.#isLoaded) await this.#until(() => this.#isLoaded)
    const { rows, hasMore } = this.#shown
    if (!hasMore) return
    const isFull = rows.length >= this.#size
    if (isFull) this.#size = rows.length + this.#query.pageSize
    // Where it is not full, a page is on its way already.
    const landed = (isFull ? undefined : this.#reads.join()) ?? this.#read('rest', true)
    this.#show()
    await landed
  }

  /**
   * Resolves once there is something to show.
   * @throws PgflowError
   */
  ready(): Promise<void> {
    return this.#until(() => this.#isFilled)
  }

  async #until(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      const reads = this.#reads
      const landed = reads.current?.landed ?? this.refresh()
      await landed.catch((error: unknown) => {
        // Somebody else has signed in meanwhile: theirs is being read.
        if (reads === this.#reads) throw error
      })
    }
  }

  /** Whether it is read again by itself. */
  get #isKept(): boolean {
    return this.#isOpen && !this.#isOver
  }

  get #shown(): ListRows {
    return this.#context.sink.rows(this.#key)
  }

  #isAwake(): boolean {
    const { isVisible, isOnline } = this.#context.surroundings
    return isVisible() && isOnline()
  }

  #createReads(): ListReads {
    const { transport, scheduler, times } = this.#context
    const { flow, status } = this.#query
    return new ListReads({
      transport,
      scheduler,
      timeout: times.snapshotTimeout,
      query: { flow, status },
      end: () => this.#shown.rows.at(-1)?.cursor ?? null,
      missing: (reach) => this.#size - (reach === 'all' ? 0 : this.#shown.rows.length),
      onSend: ({ reach }) => {
        this.#watchdog.stop()
        if (reach === 'all') this.#isMissing = false
      },
      onLanded: (read, answer) => this.#land(read, answer),
      onFailed: (read, error) => this.#fail(read, error),
    })
  }

  #stop(reason: string): void {
    this.#cancelSoon?.()
    this.#cancelSoon = null
    this.#watchdog.stop()
    this.#reads.dispose(new PgflowError('aborted', reason))
  }

  #ask(): void {
    this.#read('all', false).catch(ignore)
  }

  #read(reach: ListRead['reach'], isAwaited: boolean): Promise<void> {
    this.#isOver = false
    const landed = this.#reads.ask(reach, isAwaited)
    this.#show()
    return landed
  }

  /** Gathers what comes together: two joins, or many runs that leave. */
  #askSoon(reach: ListRead['reach']): void {
    // What is missing at the end is in no hurry, and whatever lands looks at it anyway.
    if (this.#cancelSoon || (reach === 'rest' && this.#reads.current)) return
    this.#cancelSoon = this.#context.scheduler.after(gatherTime, () => {
      this.#cancelSoon = null
      // When nobody looks, or nothing can be reached, `wake` reads all of it.
      if (!this.#isAwake()) return
      this.#read(this.#isMissing ? 'all' : reach, false).catch(ignore)
    })
  }

  #apply(list: ListRows, news: RunNews) {
    const known = list.rows.find((row) => row.run_id === news.run_id)
    return applyNews(list, this.#query, news, known ?? this.#context.sink.summary(news.run_id))
  }

  #land(read: ListRead, answer: ListRows): void {
    const { sink } = this.#context
    const isAll = read.reach === 'all'
    const answered = this.#outdated
      .newest(answer.rows, sink.summary)
      .filter((row) => isOfQuery(this.#query, row))
    const rows = addRows(isAll ? [] : this.#shown.rows, answered)
    let list: ListRows = { rows, hasMore: answer.hasMore }
    if (isAll) this.#heard.age()
    for (const news of inSeqOrder(read.since)) {
      const { isUnclear, ...next } = this.#apply(list, news)
      list = next
      this.#isMissing ||= isUnclear
    }
    list = firstOf(list, this.#size)
    const hasChanged = sink.write(this.#key, list)
    if (isAll) this.#watchdog.succeed(hasChanged)
    if (isAll) this.#isBehind = this.#isMissing
    this.#isFilled = true
    this.#isLoaded = true
    this.#error = null
    this.#hasPolled = true
    if (this.#isMissing) this.#askSoon('all')
    else if (list.hasMore && list.rows.length < this.#size) this.#askSoon('rest')
    this.#watchdog.schedule()
    this.#show()
  }

  #fail(read: ListRead, error: PgflowError): void {
    const { sink } = this.#context
    if (!read.isAwaited) this.#context.report(error)
    this.#error = error
    this.#watchdog.fail()
    if (!error.isTransient && error.code !== 'server_error') {
      this.#isOver = true
      // Whoever it was that is shown, they are not signed in any more.
      if (error.code === 'not_signed_in') sink.write(this.#key, { rows: [], hasMore: false })
    }
    this.#watchdog.schedule()
    this.#show()
  }

  #show(): void {
    if (this.#isDisposed) return
    const { sink, surroundings } = this.#context
    const status = statusOf({
      isOnline: surroundings.isOnline(),
      hasFailed: this.#error !== null,
      isJoined: this.#feed.isJoined,
      isBehind: this.#isBehind,
      isJoining: this.#feed.isOpen && !this.#feed.isDown,
      isDown: this.#feed.isDown,
      hasPolled: this.#hasPolled,
    })
    const error = this.#error ?? this.#feed.error
    sink.setState(this.#key, {
      isLoading: this.#isKept && (this.#reads.isAwaited || !(this.#isFilled || this.#error)),
      connection: {
        status: this.#isOver ? 'closed' : this.#isOpen ? status : 'idle',
        error: error?.toJSON() ?? null,
      },
    })
  }
}
