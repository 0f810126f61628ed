import { toPgflowError, type PgflowError } from '../errors.ts'
import type { RunQuery, RunSummary } from '../model/entities.ts'
import type { ListRows, RunNews } from '../model/run-list.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { ListTransport } from '../transport/types.ts'
import { withTimeout } from './abort.ts'

/** The most runs that one RPC returns. */
const maxRuns = 100

/** A read on its way. */
export interface ListRead {
  /** The list from its beginning, or only what is missing at its end. */
  reach: 'all' | 'rest'
  /** Whether a caller waits for it, and will be told of a failure. */
  isAwaited: boolean
  /** What became known meanwhile: the answer may be older. */
  since: RunNews[]
  landed: Promise<void>
}

/** What reads need of the list they are for. */
export interface ListReadsContext {
  transport: ListTransport
  scheduler: Scheduler
  /** In ms, for one page. */
  timeout: number
  query: RunQuery
  /** After which row `rest` goes on; null when that is not known. */
  end: () => string | null
  /** How many rows are missing of the list (`all`), or at its end. */
  missing: (reach: ListRead['reach']) => number
  onSend: (read: ListRead) => void
  onLanded: (read: ListRead, answer: ListRows) => void
  onFailed: (read: ListRead, error: PgflowError) => void
}

const ignore = () => undefined

/** The reads of one list: one at a time, and at most one after it for whatever is asked meanwhile. */
export class ListReads {
  readonly #context: ListReadsContext
  readonly #life = new AbortController()
  #current: ListRead | null = null
  #next: Omit<ListRead, 'since'> | null = null

  constructor(context: ListReadsContext) {
    this.#context = context
  }

  get current(): ListRead | null {
    return this.#current
  }

  /** Whether somebody waits. */
  get isAwaited(): boolean {
    return (this.#current?.isAwaited ?? false) || (this.#next?.isAwaited ?? false)
  }

  /**
   * Resolves when the answer to a read that was sent after this call is in.
   * @throws PgflowError
   */
  ask(reach: ListRead['reach'], isAwaited: boolean): Promise<void> {
    const current = this.#current
    if (!current) return this.#send(reach, isAwaited)
    const next = (this.#next ??= this.#queue(current))
    if (reach === 'all') next.reach = 'all'
    next.isAwaited ||= isAwaited
    return next.landed
  }

  /** Waits for what is asked already, if anything is. */
  join(): Promise<void> | undefined {
    const last = this.#next ?? this.#current
    if (last) last.isAwaited = true
    return last?.landed
  }

  /** Nothing is asked any more; an answer still under way changes nothing. */
  dispose(reason: PgflowError): void {
    this.#life.abort(reason)
  }

  #queue(current: ListRead): Omit<ListRead, 'since'> {
    const next: Omit<ListRead, 'since'> = {
      reach: 'rest',
      isAwaited: false,
      landed: current.landed.catch(ignore).then(() => {
        this.#next = null
        this.#life.signal.throwIfAborted()
        return this.#send(next.reach, next.isAwaited)
      }),
    }
    next.landed.catch(ignore)
    return next
  }

  #send(reach: ListRead['reach'], isAwaited: boolean): Promise<void> {
    const isPossible = reach === 'rest' && this.#context.end() !== null
    const read: ListRead = {
      reach: isPossible ? 'rest' : 'all',
      isAwaited,
      since: [],
      landed: Promise.resolve(),
    }
    this.#current = read
    read.landed = this.#land(read)
    read.landed.catch(ignore)
    this.#context.onSend(read)
    return read.landed
  }

  async #land(read: ListRead): Promise<void> {
    const { onLanded, onFailed } = this.#context
    const { signal } = this.#life
    try {
      signal.throwIfAborted()
      const answer = await this.#pages(read.reach)
      // In one turn with what follows: news in between would belong to no read.
      this.#current = null
      signal.throwIfAborted()
      onLanded(read, answer)
    } catch (error) {
      this.#current = null
      const failure = toPgflowError(error)
      if (!signal.aborted) onFailed(read, failure)
      throw failure
    }
  }

  /** Reads one row more than is missing: that it exists says that there is more. */
  async #pages(reach: ListRead['reach']): Promise<ListRows> {
    const { transport, scheduler, timeout, query, end, missing } = this.#context
    const rows: RunSummary[] = []
    let before = reach === 'rest' ? end() : null
    for (;;) {
      const limit = Math.min(maxRuns, missing(reach) + 1 - rows.length)
      if (limit <= 0) return { rows, hasMore: true }
      const { runs, cursor } = await withTimeout(
        scheduler,
        timeout,
        [this.#life.signal],
        (signal) => transport.listRuns(query, before, limit, signal),
      )
      rows.push(...runs)
      if (cursor === null || runs.length === 0) return { rows, hasMore: false }
      before = cursor
    }
  }
}
