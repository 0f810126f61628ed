import { PgflowError } from '../errors.ts'
import type { Scheduler } from '../model/scheduler.ts'
import { abortable, pause } from './abort.ts'
import { DoubtLimiter, Elapsed, RefusalWindow } from './limits.ts'
import { Fetcher, type Fetch, type FetchReason } from './fetcher.ts'
import { Health, type Phase } from './health.ts'
import { PollTimer } from './poll-timer.ts'
import type { SeqProbe } from './seq-probe.ts'
import { SilenceWatch } from './silence-watch.ts'
import type { Settled, Source } from './source.ts'
import type { Subscription, SubscriptionHandlers } from './subscription.ts'
import { outdatedFor } from './timings.ts'
import type { Trace, TraceKind } from './trace.ts'
import type { PageActivity } from './page-activity.ts'

/** What a resource needs from outside. */
export interface ResourceContext {
  scheduler: Scheduler
  pageActivity: PageActivity
  probe: SeqProbe
  /** Rendering on a server: each read is sent once, and no timer or channel outlives the page. */
  isServer: boolean
  /** How long nothing may change before a run counts as stalled, in ms. */
  stallAfter: number
  /** Told of every failure that no caller is waiting for. */
  report: (error: PgflowError) => void
  /** Told of each thing that the sync does; only in development. */
  trace?: Trace | undefined
}

type EndSignal = AbortSignal | undefined

const ignore = () => undefined

/**
 * Keeps one thing in the store true: a run, or a list of runs. The database is the truth, broadcasts
 * are hints. After every join a snapshot is requested, which holds whatever was sent before the join;
 * and a channel on which nothing comes is checked. Runs and lists differ only in their source.
 *
 * Longer than other files: the phases and all that leads from one to the next are read as a whole.
 */
export class LiveResource<Answer, Update, Kind extends Source<Answer, Update>> {
  readonly source: Kind
  readonly #context: ResourceContext
  readonly #subscription: Subscription
  readonly #life = new AbortController()
  readonly #fetcher: Fetcher<Answer, Update>
  readonly #poll: PollTimer
  readonly #doubts: DoubtLimiter
  readonly #rests: DoubtLimiter
  readonly #silence: SilenceWatch
  #phase: Phase = 'idle'
  /** It is over, although some of it may still run: `idle` is also what has not begun. */
  #isDisposed = false
  readonly #health = new Health()
  /** The last answer was older than what is shown, and was dropped. */
  #isDropped = false
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
    const { receive, onHeard, onSilent, onJoined, onDown, onMissed } = this
    this.#subscription = subscribe({ receive, onHeard, onSilent, onJoined, onDown, onMissed })
    const readNow = () => this.#phase === 'following' && this.#ask('doubt')
    this.#outdated = new Elapsed(scheduler, outdatedFor, readNow)
    this.#refusals = new RefusalWindow(scheduler, readNow)
    this.#doubts = new DoubtLimiter(scheduler, source.doubtInterval, () => this.#readIfNeeded())
    this.#rests = new DoubtLimiter(scheduler, source.doubtInterval, () => this.#readRest())
    this.#poll = new PollTimer({
      scheduler,
      state: () => this.#pollState(),
      onDue: () => this.#pollNow(),
    })
    this.#fetcher = new Fetcher<Answer, Update>({
      life: this.#life.signal,
      request: (fetch, signal, onSent) => source.fetch(fetch, signal, onSent),
      onStart: () => this.#poll.stop(),
      onSent: () => source.onSent(),
      onAnswer: (answer, fetch) => this.#settle(answer, fetch),
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
      isHearing: () => this.#isHearing,
      probedIds: () => source.probedIds(this.#isHearing),
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

  /** Follows from now on: reads at once, and subscribes. A run known to have ended needs neither. */
  open(): void {
    if (this.#isDisposed || this.#phase === 'following') return
    if (this.#phase !== 'refused' && this.source.isSettled) {
      this.#phase = 'ended'
      return this.#show()
    }
    this.#follow()
    this.subscribe()
    this.#ask('asked')
  }

  /**
   * Follows a run that is being started: nothing is read yet.
   * @param joinsNow - join its channel already, before the run exists.
   */
  openForStart(joinsNow: boolean): void {
    if (this.#phase === 'idle' && this.source.isSettled) this.#phase = 'ended'
    if (this.#isDisposed || this.#phase === 'ended') return
    if (this.#phase !== 'following') this.#follow()
    if (joinsNow) this.#subscription.open()
    else if (!this.source.isShown) this.#subscription.close()
    this.#show()
  }

  /** Subscribes, unless there is nothing more to hear. */
  subscribe(): void {
    if (this.#phase === 'following') this.#subscription.open()
    this.#show()
  }

  /** Leaves for good; an answer still under way changes nothing any more. */
  dispose(reason: string): void {
    this.#isDisposed = true
    this.#leave('idle')
    this.#show()
    this.#life.abort(new PgflowError('aborted', reason))
  }

  /**
   * Reads, or joins the read that is about to be sent. Resolves on any answer, even one that is
   * dropped as outdated.
   * @param isRest - only the rest of a list, after the rows that are shown.
   * @throws PgflowError
   */
  read(isRest = false): Promise<void> {
    const settled = this.#fetcher.ask({ reason: 'asked', isAwaited: true, isRest })
    this.#show()
    return settled
  }

  /** Waits for what is asked for already; undefined if nothing is. */
  joinRead(): Promise<void> | undefined {
    return this.#fetcher.join()
  }

  /**
   * Sends a request of the caller's, after whatever is under way, and merges its answer.
   * @param ends - signals that end the wait for what is under way; the request itself watches them.
   * @throws PgflowError
   */
  async submit(request: () => Promise<Answer>, ends: readonly EndSignal[]): Promise<void> {
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

  /** A start has failed, and there is nothing to show of the run. */
  failStart(error: PgflowError): void {
    this.#fail(error, true)
  }

  /** A start was answered: the run may be over already. */
  startSettled(): void {
    this.#endIfSettled()
    this.#show()
    this.#poll.schedule()
  }

  /**
   * Resolves once an answer to a read that was sent after this call is in the store.
   * @throws PgflowError
   */
  async refresh(): Promise<void> {
    const { scheduler } = this.#context
    for (;;) {
      await this.read()
      const isOld = this.#isDropped && !this.#outdated.isOver
      if (this.source.isShown && !isOld) return
      await pause(scheduler, 250 * Math.max(1, this.#poll.failures), this.#life.signal)
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

  /** Something came on the channel: it is not silent. */
  readonly onHeard = (wasSilent: boolean): void => {
    this.#health.isUnheard = false
    if (wasSilent) this.#show()
  }

  readonly onSilent = (): void => {
    if (process.env.NODE_ENV !== 'production') this.#trace('deaf')
    this.#show()
  }

  /**
   * Merges what was heard. While a read is under way it is kept as well: its answer may be older, and
   * is then followed by it (`settle`).
   */
  readonly receive = (update: Update): void => {
    if (this.#fetcher.isKeeping || !this.source.isShown) this.#fetcher.keep(update)
    const merged = this.source.receive(update, this.#fetcher.current?.isRest ?? false)
    if (this.#life.signal.aborted) return
    if (!merged) {
      if (process.env.NODE_ENV !== 'production') this.#trace('stale', update)
      return
    }
    if (process.env.NODE_ENV !== 'production') this.#trace('event', update)
    if (process.env.NODE_ENV !== 'production' && merged.isGap) this.#trace('gap', update)
    // What was lost before would show as a gap now: nothing is suspected any more.
    if (merged.showsGaps) {
      this.#poll.heard()
      if (this.#health.isSuspected) this.#poll.schedule()
      this.#health.isSuspected = false
    }
    // What has failed keeps its turn: each update would put it off.
    const wasQuiet = this.#poll.unchanged > 0 && !this.#poll.failures
    this.#poll.changed()
    // The timer still waits as long as it does for a quiet run.
    if (wasQuiet) this.#poll.schedule()
    if (merged.needsSnapshot) this.#doubt()
    else if (merged.needsRest) this.#rests.request()
    this.#endIfSettled()
    if (this.#health.isStalled) this.#show()
  }

  /** Drops updates that were kept for an answer and have turned out to be wrong. */
  discard(isWrong: (update: Update) => boolean): void {
    this.#fetcher.discard(isWrong)
  }

  /** Joined: broadcasts may have been missed until now. */
  readonly onJoined = (): void => {
    if (process.env.NODE_ENV !== 'production') this.#trace('joined')
    this.#health.isLost = false
    this.#health.isOverruled = true
    this.#health.needsSnapshot = true
    this.#poll.resetInterval()
    this.#show()
    this.#ask('joined')
  }

  /** Not joined any more, or not yet. */
  readonly onDown = (error: PgflowError): void => {
    if (process.env.NODE_ENV !== 'production') this.#trace('left', error)
    // Only the first time: each refusal would set the timer anew, and the read would never come.
    if (this.#health.isLost) return this.#show()
    this.#health.isLost = true
    this.#health.needsSnapshot = true
    this.#health.hasPolled = false
    this.#health.isOverruled = false
    this.#poll.resetInterval()
    this.#show()
    this.#poll.schedule()
  }

  /** Something was sent that could not be understood. */
  readonly onMissed = (): void => {
    if (process.env.NODE_ENV !== 'production') this.#trace('gap')
    // A caller's `onError` or `trace` may have disposed it.
    if (this.#phase !== 'following') return
    if (this.#fetcher.current?.isSent) this.#fetcher.current.isOvertaken = true
    this.#doubt()
  }

  /** The page is seen again or has its network back, or there is a new token. */
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

  get #isHearing(): boolean {
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
    this.#doubts.stop()
    this.#rests.stop()
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

  #readRest(): void {
    // A request under way is followed by this when it is answered.
    if (this.#phase === 'following' && !this.#fetcher.current) this.#ask('poll', true)
  }

  #readIfNeeded(): void {
    const isWanted = this.#phase === 'following' && this.#health.needsSnapshot
    if (isWanted && !this.#fetcher.current) this.#ask('doubt')
  }

  /** What is shown may be incomplete or wrong. */
  #doubt(): void {
    this.#health.needsSnapshot = true
    // A request under way looks at the update again when it has its answer.
    if (!this.#fetcher.current) this.#doubts.request()
    // Last, because a watcher of the connection may dispose it.
    this.#show()
  }

  #settle(answer: Answer, fetch: Fetch<Update>): void {
    const { source } = this
    // A start is answered by the primary, which is never outdated.
    const trustsDatabase = fetch.reason === 'start' || this.#outdated.isOver
    const merged = source.settle(answer, fetch, trustsDatabase)
    if (this.#life.signal.aborted) return
    this.#health.isOverruled = true
    this.#isDropped = !merged
    // Even an outdated answer shows that reading is allowed.
    this.#refusals.reset()
    if (!merged || merged.isOutdated) this.#outdated.begin()
    else this.#outdated.reset()
    if (process.env.NODE_ENV !== 'production') this.#trace(merged ? 'answer' : 'stale', answer)
    if (process.env.NODE_ENV !== 'production' && merged?.isGap) this.#trace('gap')
    if (merged) {
      this.#accept(fetch, merged)
    } else {
      for (const update of fetch.updates) this.#fetcher.keep(update)
      this.#poll.failed()
    }
    if (this.#phase === 'idle') {
      source.readUnfollowed()
      return this.#endIfSettled()
    }
    if (merged) this.#resume()
    const isCurrent = merged && !this.#fetcher.hasNext
    const isWhole = isCurrent && this.#phase === 'following' && !fetch.isRest
    if (isWhole && !this.#context.isServer) this.#silence.answered()
    if (isCurrent && this.#health.needsSnapshot) this.#doubts.request()
    else if (isCurrent && merged.needsRest) this.#rests.request()
    this.#endIfSettled()
    this.#show()
    this.#poll.schedule()
  }

  /** An answer is merged. */
  #accept(fetch: Fetch<Update>, { needsSnapshot, isNews, isMissed }: Settled): void {
    this.#health.error = null
    this.#health.hasPolled = true
    if (this.#silence.showsSilence(isMissed)) this.#subscription.markSilent()
    this.#poll.succeeded(isNews || fetch.updates.length > 0, fetch.reason === 'poll')
    const isBehind = needsSnapshot || this.#fetcher.hasNext || fetch.isOvertaken
    // The rest of a list says nothing of the rows before it.
    this.#health.needsSnapshot = fetch.isRest
      ? this.#health.needsSnapshot || needsSnapshot
      : isBehind
  }

  /** Follows again: it can be read after all, or goes on after its end. */
  #resume(): void {
    if (this.#phase === 'ended' && this.source.isSettled) return
    this.#phase = 'following'
    this.#silence.start()
    // Also where a failed start had closed the channel: the answer shows that the run exists.
    if (!this.source.isSettled && !this.source.starting) this.#subscription.open()
  }

  #fail(error: PgflowError, isAwaited: boolean): void {
    if (!isAwaited) this.#context.report(error)
    if (this.#phase === 'idle' || this.#phase === 'ended' || this.source.starting) return
    const mayPass = error.isTransient || error.code === 'server_error' || error.code === 'aborted'
    // A refusal of something that is shown may pass.
    const isDoubted = this.#phase !== 'refused' && this.source.isShown
    if (!mayPass && !(isDoubted && this.#refusals.isOpen(error.code))) return this.#refuse(error)
    if (error.code !== 'aborted') this.#health.error = error
    this.#poll.failed()
    this.#poll.schedule()
    this.#show()
  }

  #refuse(error: PgflowError): void {
    this.#leave('refused')
    this.#health.error = error
    this.source.onRefused(error)
    this.#show()
    this.#poll.schedule()
  }

  #endIfSettled(): void {
    if (this.#phase === 'ended' || !this.source.isSettled) return
    if (this.#health.needsSnapshot || this.#fetcher.current) return
    if (process.env.NODE_ENV !== 'production') this.#trace('ended')
    this.#leave('ended')
    this.#show()
  }

  #pollState() {
    // A watcher of the store may dispose this in the middle of a method: hence `idle`.
    if (this.#context.isServer || this.#phase === 'ended' || this.#phase === 'idle') return null
    const isRefused = this.#phase === 'refused'
    // What was refused and never shown is not polled.
    if (this.#fetcher.current || (isRefused && !this.source.isShown)) return null
    const isProbed = this.#silence.canProbe
    return { isRefused, isOffline: this.#isOffline, isHearing: this.#isHearing, isProbed }
  }

  #pollNow(): void {
    // A page that nobody sees reads when it is seen. What is known to be missing is read all the same.
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

  /** Each call stands behind `NODE_ENV`: a production bundle has none of them. */
  #trace(kind: TraceKind, detail?: unknown): void {
    this.#context.trace?.({ kind, key: this.source.key, detail })
  }
}
