import { PgflowError } from '../../errors.ts'
import type { RunPage, RunSummary, ListQuery } from '../../model/entities.ts'
import type { ListRows, RunUpdate } from '../../model/run-list.ts'
import { withTimeout } from '../abort.ts'
import { LiveResource, type ResourceContext } from '../live-resource.ts'
import { Registry } from '../registry.ts'
import { ListSource } from './list-source.ts'
import type { SessionChange } from '../../transport/types.ts'
import { RecentSeqs } from './recent-seqs.ts'
import { listKey, type ListContext } from './types.ts'
import { UserFeed } from './user-feed.ts'

type ListResource = LiveResource<ListRows, RunUpdate, ListSource>

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

/** All lists that somebody observes, and one feed for all. */
export class Lists {
  readonly #context: ListContext & ResourceContext
  readonly #registry: Registry<ListResource>
  readonly #feed: UserFeed
  readonly #recent: RecentSeqs
  /** What the feed itself told; the others learn from runs that are followed, too. */
  readonly #fed: RecentSeqs
  /** Runs that the user of now has started here: they may enter a list before it is read again. */
  readonly #started = new Set<string>()
  /** Ends with what is shown: what was begun before is not for what is shown later. */
  #life = new AbortController()
  #stopWatching = () => {}

  constructor(context: ListContext) {
    const { scheduler, times, isServer } = context
    this.#context = { ...context, stallAfter: Infinity }
    this.#recent = new RecentSeqs(scheduler)
    this.#fed = new RecentSeqs(scheduler)
    this.#feed = new UserFeed(context, {
      onUpdate: (update) => {
        this.#fed.isNew(update)
        this.#merge(update)
      },
      onMissed: () => this.#recent.doubt(),
    })
    this.#registry = new Registry({
      scheduler,
      gcTime: times.gcTime,
      isServer,
      onFirst: () => this.#watch(),
      onLast: () => {
        this.#stopWatching()
        this.#forgetUser()
      },
    })
  }

  /** Whether anybody would be told of an update. */
  get isObserved(): boolean {
    return this.#registry.size > 0
  }

  observe(query: ListQuery): ListObservation {
    const key = listKey(query)
    const { ready, resource, release } = this.#registry.observe(key, () => this.#create(query))
    return {
      key,
      ready,
      refresh: () => resource().refresh(),
      loadMore: () => loadMore(resource()),
      release,
    }
  }

  /**
   * Reads one page, and keeps nothing of it; the lists that are observed learn what is newer.
   * @throws PgflowError
   */
  async fetchPage({ pageSize, ...query }: ListQuery, before: string | null): Promise<RunPage> {
    const { transport, scheduler, times } = this.#context
    const { signal } = this.#life
    // While nothing is observed nobody says who is signed in: a later list may be somebody else's.
    const wasObserved = this.isObserved
    const page = await withTimeout(scheduler, times.snapshotTimeout, [signal], (ended) =>
      transport.listRuns(query, before, pageSize, ended),
    )
    signal.throwIfAborted()
    // Without a seq nothing tells whether it is newer than what was heard meanwhile.
    for (const row of page.runs) if (wasObserved && row.seq !== null) this.#merge(updateOf(row))
    return page
  }

  /** Merges what the store has learned of a run that it follows, whosever that is. */
  receive(update: RunUpdate): void {
    const isKnown = this.#context.state.summary(update.run_id) !== undefined
    if (isKnown || this.#started.has(update.run_id)) this.#merge(update)
  }

  /** What was heard of a run above this seq has turned out to be wrong: what comes next is newer. */
  forgetAbove(runId: string, seq: number): void {
    this.#recent.forget(runId)
    this.#fed.forget(runId)
    this.#context.state.forgetAbove(runId, seq)
    const isWrong = (update: RunUpdate) => update.run_id === runId && (update.seq ?? 0) > seq
    for (const resource of this.#registry.all) {
      resource.source.forgetAbove(runId, seq)
      resource.discard(isWrong)
    }
  }

  /** Somebody else is signed in, or the same user has a new token. */
  onSessionChange(change: SessionChange): void {
    if (change === 'user') return this.restart()
    for (const resource of this.#registry.all) resource.onNewToken()
  }

  /** Call before a start; what it returns when the database has started the run, for whoever asked. */
  beginStart(): (runId: string) => void {
    const { signal } = this.#life
    return (runId) => {
      if (this.isObserved && !signal.aborted) this.#started.add(runId)
    }
  }

  /** Forgets what is shown, and reads it anew. */
  restart(): void {
    this.#forgetUser()
    // Also what came from a server, and nobody observes.
    this.#registry.restart(() => this.#context.state.clear())
  }

  /** Leaves the feed and stops every timer. */
  dispose(): void {
    this.#registry.dispose()
    this.#stopWatching()
    this.#forgetUser()
  }

  #create(query: ListQuery): ListResource {
    const source = new ListSource(query, this.#context, {
      // What one list has read changes what others show.
      onRead: (rows) => {
        for (const row of rows) this.#tell(updateOf(row), source.key)
      },
      // Without the feed a run may have left unheard.
      heardLately: (runId) => (this.#feed.isJoined ? this.#recent.lately(runId) : null),
      toldLately: (runId) => this.#fed.lately(runId),
      toldByFeed: (runId) => this.#fed.last(runId),
    })
    return new LiveResource(source, this.#context, (handlers) => this.#feed.subscription(handlers))
  }

  /** Merges an update of one of the user's own runs into every list. */
  #merge(update: RunUpdate): void {
    if (this.#recent.isNew(update)) this.#tell(update, null)
  }

  #tell(update: RunUpdate, exceptKey: string | null): void {
    for (const resource of this.#registry.all) {
      if (resource.source.key !== exceptKey) resource.receive(update)
    }
  }

  /** The first list: from now on it matters what happens around. */
  #watch(): void {
    const { pageActivity, isServer } = this.#context
    if (isServer) return
    this.#stopWatching = pageActivity.watch(() => {
      for (const resource of this.#registry.all) resource.wake()
    })
  }

  /** What was begun until now is not for what is shown from now on. */
  #forgetUser(): void {
    this.#started.clear()
    this.#recent.clear()
    this.#fed.clear()
    this.#life.abort(new PgflowError('aborted', 'The page is not wanted any more.'))
    this.#life = new AbortController()
  }
}

/** @throws PgflowError */
async function loadMore(resource: ListResource): Promise<void> {
  const { source } = resource
  while (!source.isLoaded) await (resource.joinRead() ?? resource.read())
  const growth = source.grow()
  if (growth === 'nothing') return
  const settled = growth === 'under way' ? resource.joinRead() : undefined
  await (settled ?? resource.read(true))
}

function updateOf({ run_id, seq, cursor: _cursor, ...run }: RunSummary): RunUpdate {
  return { run_id, seq, run, needsSnapshot: false }
}
