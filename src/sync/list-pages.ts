import { PgflowError } from '../errors.ts'
import type { RunPage } from '../model/entities.ts'
import { newerSummary } from '../model/run-list.ts'
import { withDeadline } from './deadline.ts'
import { listKey, type ListQuery, type ListSyncContext } from './list-types.ts'

/** Pages that were read once, without observing anything; each is held for `gcTime`. */
export class ListPages {
  readonly #context: ListSyncContext
  readonly #held = new Map<string, () => void>()
  #life = new AbortController()

  constructor(context: ListSyncContext) {
    this.#context = context
  }

  /**
   * Reads one page.
   * @param isObserved - whether a list is observed, which then keeps what it shows.
   * @throws PgflowError
   */
  async fetch(
    query: ListQuery,
    before: string | null,
    isObserved: (key: string) => boolean,
  ): Promise<RunPage> {
    const { transport, scheduler, times, sink, isServer } = this.#context
    const { flow, status, pageSize } = query
    const page = await withDeadline(
      scheduler,
      times.snapshotTimeout,
      [this.#life.signal],
      (signal) => transport.listRuns({ flow, status }, before, pageSize, signal),
    )
    const key = before === null ? listKey(query) : `${listKey(query)}/${before}`
    if (isObserved(key)) return page
    const rows = page.runs.map((row) => newerSummary(sink.summary(row.run_id), row))
    sink.write(key, { rows, hasMore: page.cursor !== null })
    this.release(key)
    if (!isServer)
      this.#held.set(
        key,
        scheduler.after(times.gcTime, () => this.#drop(key)),
      )
    return page
  }

  /** Somebody else looks after the list of this key now. */
  release(key: string): void {
    this.#held.get(key)?.()
    this.#held.delete(key)
  }

  /** Drops everything, also what is still being read. */
  clear(): void {
    this.#life.abort(new PgflowError('aborted', 'The page is not wanted any more.'))
    this.#life = new AbortController()
    for (const key of [...this.#held.keys()]) this.#drop(key)
  }

  #drop(key: string): void {
    this.release(key)
    this.#context.sink.forget(key)
  }
}
