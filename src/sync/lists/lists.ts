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
import { FeedSubscription } from './feed-subscription.ts'

type ListResource = LiveResource<ListRows, RunUpdate, ListSource>

/** A list of runs as one observer uses it. */
export interface ListObservation {
  /** The key of the list in the store's `lists`. */
  key: string
  /**
   * Resolves once the list is in the store. Rejects with a `PgflowError` when the first request
   * fails; failures that may pass are retried all the same.
   */
  ready: Promise<void>
  /**
   * Reads the list from the database now.
   * @throws PgflowError
   */
  refresh: () => Promise<void>
  /**
   * Shows one more page, if there is one. A second call meanwhile adds no further page.
   * @throws PgflowError
   */
  loadMore: () => Promise<void>
  /** Stops observing. The list is dropped `gcTime` after the last observer has left. */
  release: () => void
}

/** All lists that are observed, and the feed that they share. */
export class Lists {
  readonly #context: ListContext & ResourceContext
  readonly #registry: Registry<ListResource>
  readonly #feed: FeedSubscription
  readonly #recentSeqs: RecentSeqs
  /** The seqs that the feed itself has sent; `#recentSeqs` includes those of followed runs. */
  readonly #feedSeqs: RecentSeqs
  /** Runs that the current user has started here: they may enter a list before it is read again. */
  #started = new Set<string>()
  /** Aborts when the lists are reset, or another user is signed in. */
  #life = new AbortController()
  #stopWatching = () => {}

  constructor(context: ListContext) {
    const { scheduler, times, isServer } = context
    this.#context = { ...context, stallAfter: Infinity }
    this.#recentSeqs = new RecentSeqs(scheduler)
    this.#feedSeqs = new RecentSeqs(scheduler)
    this.#feed = new FeedSubscription(context, {
      onUpdate: (update) => {
        this.#feedSeqs.isNew(update)
        this.#merge(update)
      },
      onMissed: () => this.#recentSeqs.doubt(),
    })
    this.#registry = new Registry({
      scheduler,
      gcTime: times.gcTime,
      isServer,
      onFirst: () => this.#watch(),
      onLast: () => {
        this.#stopWatching()
        this.#forgetRuns()
      },
    })
  }

  /** Whether any list is observed. */
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
   * Reads one page without keeping it. Newer rows are merged into the observed lists.
   * @throws PgflowError
   */
  async fetchPage({ pageSize, ...query }: ListQuery, before: string | null): Promise<RunPage> {
    const { transport, scheduler, times } = this.#context
    const { signal } = this.#life
    // Sign-ins are watched only while a list is observed: a later list may be another user's.
    const started = this.isObserved ? this.#started : null
    const page = await withTimeout(scheduler, times.snapshotTimeout, [signal], (ended) =>
      transport.listRuns(query, before, pageSize, ended),
    )
    signal.throwIfAborted()
    if (started !== this.#started) return page
    // Without a seq it is unclear whether a row is newer than the updates received meanwhile.
    for (const row of page.runs) if (row.seq !== null) this.#merge(updateOf(row))
    return page
  }

  /** Merges an update of a run that the store follows, if the run is in a list or may enter one. */
  receive(update: RunUpdate): void {
    const isKnown = this.#context.state.summary(update.run_id) !== undefined
    if (isKnown || this.#started.has(update.run_id)) this.#merge(update)
  }

  /** Updates of a run above this seq have turned out to be wrong: the next one counts as newer. */
  forgetAbove(runId: string, seq: number): void {
    this.#recentSeqs.forget(runId)
    this.#feedSeqs.forget(runId)
    this.#context.state.forgetAbove(runId, seq)
    const isWrong = (update: RunUpdate) => update.run_id === runId && (update.seq ?? 0) > seq
    for (const resource of this.#registry.all) {
      resource.source.forgetAbove(runId, seq)
      resource.discard(isWrong)
    }
  }

  /** Another user is signed in, or the same user has a new token. */
  onSessionChange(change: SessionChange): void {
    if (change === 'user') return this.restart()
    for (const resource of this.#registry.all) resource.onNewToken()
  }

  /** Called before a start. The returned function is called when the database has started the run. */
  beginStart(): (runId: string) => void {
    // If all lists are dropped meanwhile, later ones have another set.
    const started = this.#started
    return (runId) => {
      if (this.isObserved) started.add(runId)
    }
  }

  /** Drops all lists, and reads those that are observed again. */
  restart(): void {
    this.#forgetUser()
    // Also lists that a server has rendered and nobody observes.
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
      // Rows that one list has read may be shown by others.
      onRead: (rows) => {
        for (const row of rows) this.#apply(updateOf(row), source.key)
      },
      // Without the feed, a run may have left a list without an update.
      recentSeq: (runId) => (this.#feed.isJoined ? this.#recentSeqs.lately(runId) : null),
      recentFeedSeq: (runId) => this.#feedSeqs.lately(runId),
      lastFeedSeq: (runId) => this.#feedSeqs.last(runId),
    })
    return new LiveResource(source, this.#context, (handlers) => this.#feed.subscription(handlers))
  }

  /** Merges an update of one of the user's own runs into every list. */
  #merge(update: RunUpdate): void {
    if (this.#recentSeqs.isNew(update)) this.#apply(update, null)
  }

  #apply(update: RunUpdate, exceptKey: string | null): void {
    for (const resource of this.#registry.all) {
      if (resource.source.key !== exceptKey) resource.receive(update)
    }
  }

  /** Watches the page's activity from the first list on. */
  #watch(): void {
    const { pageActivity, isServer } = this.#context
    if (isServer) return
    this.#stopWatching = pageActivity.watch(() => {
      for (const resource of this.#registry.all) resource.wake()
    })
  }

  /** Nothing is observed any more. */
  #forgetRuns(): void {
    this.#started = new Set()
    this.#recentSeqs.clear()
    this.#feedSeqs.clear()
  }

  /** Drops what belongs to the current user, and aborts what was begun for them. */
  #forgetUser(): void {
    this.#forgetRuns()
    this.#life.abort(new PgflowError('aborted', 'The lists were reset.'))
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
