import { PgflowError } from '../errors.ts'
import type { Scheduler } from '../model/scheduler.ts'
import { abortable, pause } from './abort.ts'
import { DoubtLimiter, Elapsed, RefusalWindow } from './limits.ts'
import { Fetcher, type Fetch, type FetchReason } from './fetcher.ts'
import { Health, type Phase } from './health.ts'
import { PollTimer } from './poll-timer.ts'
import type { SeqProbe } from './seq-probe.ts'
import { SilenceWatch } from './silence-watch.ts'
import type { MergedSnapshot, Source } from './source.ts'
import type { Subscription, SubscriptionHandlers } from './subscription.ts'
import { longestRetry, outdatedFor } from './timings.ts'
import type { Trace, TraceKind } from './trace.ts'
import type { PageActivity } from './page-activity.ts'

/** What a resource needs from outside. */
export interface ResourceContext {
  scheduler: Scheduler
  pageActivity: PageActivity
  probe: SeqProbe
  /** Rendering on a server: each request is sent once, and no timer or channel outlives the page. */
  isServer: boolean
  /** How long nothing may change before a run counts as stalled, in ms. */
  stallAfter: number
  /** Called with every failure that no caller waits for. */
  report: (error: PgflowError) => void
  /** Called with each step of the sync; only in development. */
  trace?: Trace | undefined
}

type EndSignal = AbortSignal | undefined

const ignore = () => undefined

/**
 * Keeps one run, or one list of runs, up to date in the store. The database is the truth, broadcasts
 * are hints. After every join a snapshot is requested, which contains whatever was sent before. A
 * channel on which nothing arrives is checked. Runs and lists differ only in their source.
 *
 * This file is longer than others, so that all transitions between the phases are in one place.
 */
export class LiveResource<
  Snapshot,
  Update,
  Kind extends Source<Snapshot, Update>,
> implements SubscriptionHandlers<Update> {
  readonly source: Kind
  readonly #context: ResourceContext
  readonly #subscription: Subscription
  readonly #life = new AbortController()
  readonly #fetcher: Fetcher<Snapshot, Update>
  readonly #poll: PollTimer
  readonly #missing: DoubtLimiter
  readonly #silence: SilenceWatch
  #phase: Phase = 'idle'
  /** Whether `dispose` was called; `#phase` is `idle` before the first `open`, too. */
  #isDisposed = false
  readonly #health = new Health()
  /** The last snapshot was older than what is shown, and was dropped. */
  #isDropped = false
  /** The pause before `refresh` reads again, shared by all callers: together they read once. */
  #retry: Promise<void> | null = null
  readonly #outdated: Elapsed
  readonly #refusals: RefusalWindow

  constructor(
    source: Kind,
    context: ResourceContext,
    subscribe: (handlers: SubscriptionHandlers<Update>) => Subscription,
  ) {
    const { scheduler } = context
    this.source = source
    this.#context = context
    this.#subscription = subscribe(this)
    const readNow = () => this.#phase === 'following' && this.#ask('doubt')
    this.#outdated = new Elapsed(scheduler, outdatedFor, readNow)
    this.#refusals = new RefusalWindow(scheduler, readNow)
    this.#missing = new DoubtLimiter(scheduler, source.doubtInterval, () => this.#readMissing())
    this.#poll = new PollTimer({
      scheduler,
      state: () => this.#pollState(),
      onDue: () => this.#pollNow(),
    })
    this.#fetcher = new Fetcher<Snapshot, Update>({
      life: this.#life.signal,
      request: (fetch, signal, onSent) => source.fetch(fetch, signal, onSent),
      onStart: () => this.#poll.stop(),
      onSent: () => source.onSent(),
      onSnapshot: (snapshot, fetch) => this.#merge(snapshot, fetch),
      explain: (error) => source.explain(error),
      onFailure: (error, { isAwaited }) => {
        if (process.env.NODE_ENV !== 'production') this.#trace('retry', error)
        this.#fail(error, isAwaited)
      },
    })
    this.#silence = new SilenceWatch({
      probe: context.probe,
      health: this.#health,
      poll: this.#poll,
      isWaiting: () => !this.#fetcher.current,
      isReceiving: () => this.#isReceiving,
      probedIds: () => source.probedIds(this.#isReceiving),
      isBehind: (seqs) => source.isBehind(seqs),
      readInterval: source.readInterval,
      scheduler,
      read: (reason) => this.#ask(reason),
      report: context.report,
      show: () => this.#show(),
    })
  }

  /** Fires when the resource is disposed. */
  get signal(): AbortSignal {
    return this.#life.signal
  }

  /** Starts to follow: requests a snapshot and subscribes. A run that has ended needs neither. */
  open(): void {
    if (this.#isDisposed || this.#phase === 'following') return
    if (this.#phase !== 'refused' && this.source.isFinal) {
      this.#phase = 'ended'
      return this.#show()
    }
    this.#follow()
    this.subscribe()
    this.#ask('asked')
  }

  /**
   * Follows a run that is being started; requests nothing yet.
   * @param joinsNow - whether to join its channel before the run exists.
   */
  openForStart(joinsNow: boolean): void {
    if (this.#phase === 'idle' && this.source.isFinal) this.#phase = 'ended'
    if (this.#isDisposed || this.#phase === 'ended') return
    if (this.#phase !== 'following') this.#follow()
    if (joinsNow) this.#subscription.open()
    else if (!this.source.isShown) this.#subscription.close()
    this.#show()
  }

  /** Subscribes, if it is followed. */
  subscribe(): void {
    if (this.#phase === 'following') this.#subscription.open()
    this.#show()
  }

  /** Stops for good. The response to a request under way is ignored. */
  dispose(reason: string): void {
    this.#isDisposed = true
    this.#leave('idle')
    this.#show()
    this.#life.abort(new PgflowError('aborted', reason))
  }

  /**
   * Requests a snapshot, or shares the request that is about to be sent. Resolves with any response,
   * even if its snapshot is dropped as outdated.
   * @param isRest - whether to read only the rest of a list, after the rows that are shown.
   * @throws PgflowError
   */
  read(isRest = false): Promise<void> {
    const settled = this.#fetcher.ask({ reason: 'asked', isAwaited: true, isRest })
    this.#show()
    return settled
  }

  /** Waits for the request under way or queued; undefined if there is none. */
  joinRead(): Promise<void> | undefined {
    return this.#fetcher.join()
  }

  /**
   * Sends the caller's request after the one under way, and merges its snapshot.
   * @param ends - signals that end the wait for the one under way. The caller's request has to watch
   *   them itself.
   * @throws PgflowError
   */
  async submit(request: () => Promise<Snapshot>, ends: readonly EndSignal[]): Promise<void> {
    for (let fetch = this.#fetcher.current; fetch; fetch = this.#fetcher.current) {
      const { settled } = fetch
      await abortable(ends, () => settled.catch(ignore))
    }
    const options = { reason: 'start', isAwaited: true, isRest: false } as const
    await this.#fetcher.run(options, (_fetch, _signal, onSent) => {
      onSent()
      return request()
    })
  }

  /** A start has failed, and the run is not shown. */
  failStart(error: PgflowError): void {
    this.#fail(error, true)
  }

  /** A start has succeeded or failed. The run may have ended already. */
  afterStart(): void {
    this.#endIfFinal()
    this.#show()
    this.#poll.schedule()
  }

  /**
   * Resolves once the snapshot of a request that was sent after this call is in the store.
   * @throws PgflowError
   */
  async refresh(): Promise<void> {
    const { scheduler } = this.#context
    for (;;) {
      await this.read()
      const isOld = this.#isDropped && !this.#outdated.isOver
      if (this.source.isShown && !isOld) return
      const ms = Math.min(longestRetry, 250 * this.#poll.failures || 250)
      this.#retry ??= pause(scheduler, ms, this.#life.signal).then(() => {
        this.#retry = null
      })
      await this.#retry
    }
  }

  /**
   * Resolves once there is something to show.
   * @throws PgflowError
   */
  async ready(): Promise<void> {
    while (!this.source.isShown) {
      const { current } = this.#fetcher
      if (current) await current.settled
      else if (this.source.starting) await this.source.starting
      else await this.refresh()
    }
  }

  /** Something arrived on the channel: it is not silent. */
  onReceived(wasSilent: boolean): void {
    this.#health.isUnreceived = false
    if (wasSilent) this.#show()
  }

  onSilent(): void {
    if (process.env.NODE_ENV !== 'production') this.#trace('silent')
    this.#show()
  }

  /**
   * Merges an update. While a request is under way the update is kept as well: the snapshot may be
   * older, and the update is then applied to it again (`#merge`).
   */
  receive(update: Update): void {
    if (this.#fetcher.isKeeping || !this.source.isShown) this.#fetcher.keep(update)
    const merged = this.source.receive(update, this.#fetcher.current?.isRest ?? false)
    if (this.#life.signal.aborted) return
    if (!merged) {
      if (process.env.NODE_ENV !== 'production') this.#trace('stale', update)
      return
    }
    if (process.env.NODE_ENV !== 'production') this.#trace('event', update)
    if (process.env.NODE_ENV !== 'production' && merged.isGap) this.#trace('gap', update)
    // A broadcast lost before this one would have shown as a gap: nothing is suspected any more.
    if (merged.showsGaps) {
      this.#poll.received()
      if (this.#health.isSuspected) this.#poll.schedule()
      this.#health.isSuspected = false
    }
    // After a failure the timer stays as it is: a busy channel would postpone the retry for ever.
    const wasUnchanged = this.#poll.unchanged > 0 && !this.#poll.failures
    this.#poll.changed()
    // The timer was set to the longer wait of a run that does not change.
    if (wasUnchanged) this.#poll.schedule()
    if (merged.needsSnapshot) this.#doubt()
    else if (this.source.isShort) this.#missing.request()
    this.#endIfFinal()
    if (this.#health.isStalled) this.#show()
  }

  /** Drops updates that were kept for a snapshot and have turned out to be wrong. */
  discard(isWrong: (update: Update) => boolean): void {
    this.#fetcher.discard(isWrong)
  }

  /** The channel is joined. Broadcasts sent before may have been missed. */
  onJoined(): void {
    if (process.env.NODE_ENV !== 'production') this.#trace('joined')
    this.#health.isLost = false
    this.#health.isOverruled = true
    this.#health.needsSnapshot = true
    this.#poll.resetInterval()
    this.#show()
    this.#ask('joined')
  }

  /** The channel has failed: it is not joined any more, or not yet. */
  onDown(error: PgflowError): void {
    if (process.env.NODE_ENV !== 'production') this.#trace('left', error)
    // Only the first time: each failed join would reset the timer, and no request would be sent.
    if (this.#health.isLost) return this.#show()
    this.#health.isLost = true
    this.#health.needsSnapshot = true
    this.#health.hasPolled = false
    this.#health.isOverruled = false
    this.#poll.resetInterval()
    this.#show()
    this.#poll.schedule()
  }

  /** A broadcast arrived that could not be parsed. */
  onMissed(): void {
    if (process.env.NODE_ENV !== 'production') this.#trace('gap')
    // The app's `onError` or `trace` may have disposed it.
    if (this.#phase !== 'following') return
    if (this.#fetcher.current?.isSent) this.#fetcher.current.isOvertaken = true
    this.#doubt()
  }

  /** The page is visible or online again, or there is a new token. */
  wake(): void {
    if (this.#phase === 'idle' || this.#phase === 'ended') return
    const { isVisible, isOnline } = this.#context.pageActivity
    this.#health.isOverruled = false
    this.#poll.resetBackoff()
    this.#show()
    if (isVisible() && isOnline()) this.#ask('joined')
    else this.#poll.schedule()
  }

  /** The same user has a new token: what was refused may be allowed. */
  onNewToken(): void {
    if (this.#health.error) this.wake()
  }

  get #isReceiving(): boolean {
    return this.#subscription.isJoined && !this.#subscription.isSilent
  }

  get #isOffline(): boolean {
    return !this.#context.pageActivity.isOnline() && !this.#health.isOverruled
  }

  #follow(): void {
    this.#phase = 'following'
    this.#health.needsSnapshot = true
    this.#silence.start()
  }

  #leave(phase: Phase): void {
    this.#phase = phase
    this.#poll.stop()
    this.#missing.stop()
    this.#outdated.reset()
    this.#refusals.reset()
    this.#silence.stop()
    this.#subscription.close()
    this.#health.reset()
  }

  #ask(reason: FetchReason, isRest = false): void {
    if (process.env.NODE_ENV !== 'production') this.#trace('fetch', reason)
    this.#fetcher.ask({ reason, isAwaited: false, isRest }).catch(ignore)
    this.#show()
  }

  /** Reads everything, or the rest of a list if only that is missing. */
  #readMissing(): void {
    const { needsSnapshot, isSuspected } = this.#health
    // If a request is under way, its snapshot leads to this one.
    if (this.#phase !== 'following' || this.#fetcher.current) return
    if (needsSnapshot || this.source.isShort) this.#ask('doubt', !needsSnapshot && !isSuspected)
  }

  /** What is shown may be incomplete or wrong: requests a snapshot. */
  #doubt(): void {
    this.#health.needsSnapshot = true
    // If a request is under way, the update is merged again with its snapshot.
    if (!this.#fetcher.current) this.#missing.request()
    // Last, because a watcher of the connection may dispose the resource.
    this.#show()
  }

  #merge(snapshot: Snapshot, fetch: Fetch<Update>): void {
    const { source } = this
    const merged = source.merge(snapshot, fetch, this.#outdated.isOver)
    if (this.#life.signal.aborted) return
    this.#health.isOverruled = true
    this.#isDropped = !merged
    // Even an outdated snapshot shows that reading is allowed.
    this.#refusals.reset()
    if (!merged || merged.isOutdated) this.#outdated.begin()
    else if (!fetch.isRest) this.#outdated.reset()
    if (process.env.NODE_ENV !== 'production') this.#trace(merged ? 'answer' : 'stale', snapshot)
    if (process.env.NODE_ENV !== 'production' && merged?.isGap) this.#trace('gap')
    if (merged) {
      this.#accept(fetch, merged)
    } else {
      for (const update of fetch.updates) this.#fetcher.keep(update)
      this.#poll.failed()
    }
    if (this.#phase === 'idle') {
      source.readUnfollowed()
      return this.#endIfFinal()
    }
    if (merged) this.#resume()
    const isCurrent = merged && !this.#fetcher.hasNext
    const isWhole = isCurrent && this.#phase === 'following' && !fetch.isRest
    if (isWhole && !this.#context.isServer) this.#silence.scheduleRead()
    if (isCurrent && (this.#health.needsSnapshot || source.isShort)) this.#missing.request()
    this.#endIfFinal()
    this.#show()
    this.#poll.schedule()
  }

  /** A snapshot was merged. */
  #accept(fetch: Fetch<Update>, { needsSnapshot, isNews, isMissed }: MergedSnapshot): void {
    this.#health.error = null
    this.#health.hasPolled = true
    if (!fetch.isRest && this.#silence.showsSilence(isMissed)) this.#subscription.markSilent()
    this.#poll.succeeded(isNews || fetch.updates.length > 0, fetch.reason === 'poll')
    // Nothing follows a confirmed end.
    const mayMiss = !this.source.isFinal && (this.#fetcher.hasNext || fetch.isOvertaken)
    const isBehind = needsSnapshot || mayMiss
    // The rest of a list does not confirm the rows before it.
    this.#health.needsSnapshot = fetch.isRest
      ? this.#health.needsSnapshot || needsSnapshot
      : isBehind
  }

  /** Follows again: it can be read after all, or is running again after its end. */
  #resume(): void {
    if (this.#phase === 'ended' && this.source.isFinal) return
    this.#phase = 'following'
    this.#silence.start()
    // A failed start may have closed the channel. The snapshot shows that the run exists.
    if (!this.source.isFinal && !this.source.starting) this.#subscription.open()
  }

  #fail(error: PgflowError, isAwaited: boolean): void {
    if (!isAwaited) this.#context.report(error)
    if (this.#phase === 'idle' || this.#phase === 'ended' || this.source.starting) return
    const mayPass = error.isTransient || error.code === 'server_error' || error.code === 'aborted'
    // A refusal may pass if the resource was shown before.
    const isDoubted = this.#phase !== 'refused' && this.source.isShown
    if (!mayPass && !(isDoubted && this.#refusals.isOpen(error.code))) return this.#refuse(error)
    if (error.code !== 'aborted') this.#health.error = error
    this.#poll.failed()
    this.#poll.schedule()
    // The end that came meanwhile needs no snapshot.
    this.#endIfFinal()
    this.#show()
  }

  #refuse(error: PgflowError): void {
    this.#leave('refused')
    this.#health.error = error
    this.source.onRefused(error)
    this.#show()
    this.#poll.schedule()
  }

  #endIfFinal(): void {
    if (this.#phase === 'ended' || !this.source.isFinal) return
    if (this.#health.needsSnapshot || this.#fetcher.current) return
    if (process.env.NODE_ENV !== 'production') this.#trace('ended')
    this.#leave('ended')
    this.#show()
  }

  #pollState() {
    // `idle`: a watcher of the store may dispose the resource in the middle of a method.
    if (this.#context.isServer || this.#phase === 'ended' || this.#phase === 'idle') return null
    const isRefused = this.#phase === 'refused'
    // A resource that was refused and never shown is not polled.
    if (this.#fetcher.current || (isRefused && !this.source.isShown)) return null
    const isProbed = this.#silence.canProbe
    return { isRefused, isOffline: this.#isOffline, isReceiving: this.#isReceiving, isProbed }
  }

  #pollNow(): void {
    // A hidden page polls when it is visible again. What is known to be missing is requested anyway.
    const isMissing = this.#health.needsSnapshot && this.#subscription.isJoined
    const isWanted = isMissing || this.source.isUnconfirmed
    if (!isWanted && !this.#context.pageActivity.isVisible()) return
    if (this.#silence.ask() && process.env.NODE_ENV !== 'production') this.#trace('probe')
  }

  #show(): void {
    if (this.#life.signal.aborted) return
    const isFollowed = this.#phase === 'following'
    this.#health.isStalled = isFollowed && this.#poll.stillness >= this.#context.stallAfter
    this.source.show({
      status: this.#health.status(this.#phase, this.#subscription, this.#isOffline),
      error: this.#health.shownError(this.#subscription),
      isAwaited: this.#fetcher.isAwaited,
      isStalled: this.#health.isStalled,
    })
  }

  /** Each call is behind a check of `NODE_ENV`, so that production bundles have none. */
  #trace(kind: TraceKind, detail?: unknown): void {
    this.#context.trace?.({ kind, key: this.source.key, detail })
  }
}
