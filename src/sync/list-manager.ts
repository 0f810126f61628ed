import { PgflowError } from '../errors.ts'
import type { RunPage } from '../model/entities.ts'
import type { RunNews } from '../model/run-list.ts'
import { withTimeout } from './abort.ts'
import { ListSync } from './list-sync.ts'
import { listKey, type ListQuery, type ListSyncContext } from './list-types.ts'
import { RunFeed } from './run-feed.ts'

/** One observer's hold on a list of runs. */
export interface ListObservation {
  /** The key of the list in the store's `lists`. */
  key: string
  /**
   * Resolves once the list is in the store; rejects with a `PgflowError` when the first attempt to
   * read it fails. What may pass by itself is tried again all the same.
   */
  ready: Promise<void>
  /**
   * Reads what is shown from the database now.
   * @throws PgflowError
   */
  refresh: () => Promise<void>
  /**
   * Shows one more page, if there is one. Calling it again meanwhile asks for no more.
   * @throws PgflowError
   */
  loadMore: () => Promise<void>
  /** Lets go. The list is dropped a little after the last observer has left. */
  release: () => void
}

interface Entry {
  sync: ListSync
  observers: number
  cancelGc: () => void
}

/** All lists that somebody observes: one sync a query, shared and counted, and one feed for all. */
export class ListManager {
  readonly #context: ListSyncContext
  readonly #entries = new Map<string, Entry>()
  readonly #feed: RunFeed
  /** Runs that the user of now has started here: they may enter a list before it is read again. */
  readonly #started = new Set<string>()
  /** Counts users: what was begun for an earlier one is not theirs. */
  #user = 0
  /** Ends with what is shown: a page still on its way belongs to what was shown before. */
  #life = new AbortController()
  #stopWatching = () => {}

  constructor(context: ListSyncContext) {
    this.#context = context
    this.#feed = new RunFeed(context, {
      onNews: (news) => this.#tell((sync) => sync.hear(news, true)),
      onJoined: () => this.#tell((sync) => sync.fallBehind()),
      onDown: () => this.#tell((sync) => sync.goDown()),
    })
  }

  /** Whether anybody would hear of news. */
  get isListening(): boolean {
    return this.#entries.size > 0
  }

  observe(query: ListQuery): ListObservation {
    const key = listKey(query)
    const entry = this.#hold(key, query)
    const { sync } = entry
    sync.open()
    const ready = sync.ready()
    // Most callers look at the connection instead; those who do await it still see the failure.
    ready.catch(() => undefined)
    return {
      key,
      ready,
      refresh: () => sync.refresh(),
      loadMore: () => sync.loadMore(),
      release: this.#releaseOnce(key, entry),
    }
  }

  /**
   * Reads one page, and keeps nothing of it; the lists that are observed hear of what is newer.
   * @throws PgflowError
   */
  async fetchPage({ pageSize, ...query }: ListQuery, before: string | null): Promise<RunPage> {
    const { transport, scheduler, times } = this.#context
    const { signal } = this.#life
    const user = this.#user
    // While nothing is observed nobody says who is signed in: a later list may be somebody else's.
    const wasListening = this.isListening
    const page = await withTimeout(scheduler, times.snapshotTimeout, [signal], (ended) =>
      transport.listRuns(query, before, pageSize, ended),
    )
    signal.throwIfAborted()
    if (wasListening && user === this.#user) this.#hearPage(page)
    return page
  }

  /** What the store has learned of a run that it follows, whosever that is. */
  hear(news: RunNews): void {
    const isOwn = this.#started.has(news.run_id)
    this.#tell((sync) => sync.hear(news, isOwn))
  }

  /** Call before a start; what it returns when the database has started the run, for whoever asked. */
  beginStart(): (runId: string) => void {
    const user = this.#user
    return (runId) => {
      if (this.isListening && user === this.#user) this.#started.add(runId)
    }
  }

  /** Forgets what is shown, and reads it anew. */
  restart(): void {
    this.#forgetUser()
    this.#tell((sync) => sync.reset())
  }

  /** Leaves the feed and stops every timer. */
  dispose(): void {
    for (const { sync, cancelGc } of this.#entries.values()) {
      cancelGc()
      sync.dispose()
    }
    this.#entries.clear()
    this.#rest()
    this.#endPages()
  }

  #hearPage({ runs }: RunPage): void {
    for (const { run_id, seq, cursor: _cursor, ...run } of runs) {
      // Without a seq nothing tells whether it is newer than what was heard meanwhile.
      if (seq !== null)
        this.#tell((sync) => sync.hear({ run_id, seq, run, isPartial: false }, true))
    }
  }

  #tell(tell: (sync: ListSync) => void): void {
    for (const { sync } of [...this.#entries.values()]) tell(sync)
  }

  #hold(key: string, query: ListQuery): Entry {
    const known = this.#entries.get(key)
    const entry = known ?? {
      sync: new ListSync(query, this.#context, this.#feed),
      observers: 0,
      cancelGc: () => {},
    }
    if (!known) {
      this.#entries.set(key, entry)
      if (this.#entries.size === 1) this.#wake()
    }
    entry.cancelGc()
    entry.observers += 1
    return entry
  }

  #releaseOnce(key: string, entry: Entry): () => void {
    let isReleased = false
    return () => {
      if (isReleased) return
      isReleased = true
      entry.observers -= 1
      if (entry.observers > 0 || this.#entries.get(key) !== entry) return
      const { scheduler, times, isServer } = this.#context
      if (isServer) this.#drop(key, entry)
      else entry.cancelGc = scheduler.after(times.gcTime, () => this.#drop(key, entry))
    }
  }

  #drop(key: string, { sync }: Entry): void {
    this.#entries.delete(key)
    sync.dispose()
    // A server's lists are for the browser that takes them over.
    if (!this.#context.isServer) this.#context.sink.forget(key)
    if (this.#entries.size === 0) this.#rest()
  }

  /** The first list: from now on it matters what happens around. */
  #wake(): void {
    const { surroundings, transport, isServer } = this.#context
    if (isServer) return
    this.#feed.open()
    const stops = [
      surroundings.watch(() => this.#tell((sync) => sync.wake())),
      transport.watchSession((change) => change === 'user' && this.#changeUser()),
    ]
    this.#stopWatching = () => {
      for (const stop of stops) stop()
    }
  }

  /** The last list has gone. */
  #rest(): void {
    this.#stopWatching()
    this.#stopWatching = () => {}
    this.#started.clear()
    this.#user += 1
    this.#feed.close()
  }

  #changeUser(): void {
    this.#feed.close()
    this.restart()
    this.#feed.open()
  }

  /** What was begun until now is not for what is shown from now on. */
  #forgetUser(): void {
    this.#user += 1
    this.#started.clear()
    this.#endPages()
  }

  #endPages(): void {
    this.#life.abort(new PgflowError('aborted', 'The page is not wanted any more.'))
    this.#life = new AbortController()
  }
}
