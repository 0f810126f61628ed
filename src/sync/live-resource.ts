import { PgflowError } from '../errors.ts'
import type { ConnectionStatus } from '../model/entities.ts'
import type { Scheduler } from '../model/scheduler.ts'
import { abortable, pause } from './abort.ts'
import { DoubtLimiter, Elapsed } from './delays.ts'
import { Fetcher, type Fetch, type FetchReason } from './fetcher.ts'
import { PollTimer } from './poll-timer.ts'
import type { SeqProbe, ProbeTarget } from './seq-probe.ts'
import type { Source } from './source.ts'
import type { Subscription, SubscriptionHandlers } from './subscription.ts'
import { deliveryTime, outdatedFor, refusedAfter } from './timings.ts'
import type { Trace, TraceKind } from './trace.ts'
import type { Surroundings } from './wake.ts'

/*
 *         open                  all known, and it has ended
 *  idle ────────▶ following ─────────────────────────────▶ ended
 *    ▲              │  ▲ ▲                                    │
 *    └──────────────┘  │ └──────── a read says it goes on ────┘
 *      dispose         │ an answer: after a new token, a wake, a refresh, a slow poll
 *                      ▼
 *                   refused
 */
export type Phase = 'idle' | 'following' | 'ended' | 'refused'

/** What a resource needs from outside. */
export interface ResourceContext {
  scheduler: Scheduler
  surroundings: Surroundings
  probe: SeqProbe
  /** Rendering on a server: every read is asked once, and nothing is left behind. */
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
const silent = () =>
  new PgflowError(
    'realtime_silent',
    'Realtime is joined, but sends nothing: the database is ahead.',
  )

/**
 * Keeps one thing in the store true: a run, or a list of runs. The database is the truth, broadcasts
 * are hints. Every join is followed by a snapshot that was asked for after it, so whatever was sent
 * in between is in it; and silence is not trusted. What differs between the two is in their source.
 */
export class LiveResource<Answer, Update, Kind extends Source<Answer, Update>> {
  readonly source: Kind
  readonly #context: ResourceContext
  readonly #subscription: Subscription
  readonly #life = new AbortController()
  readonly #fetcher: Fetcher<Answer, Update>
  readonly #poll: PollTimer
  readonly #doubts: DoubtLimiter
  readonly #probeTarget: ProbeTarget
  #phase: Phase = 'idle'
  /** Something may be missing: joined anew, a gap, a message that held too little. */
  #needsSnapshot = true
  /** Why the last request failed. */
  #error: PgflowError | null = null
  /** A read has succeeded since the channel went down: polling works. */
  #hasPolled = false
  /** The last answer was older than what is shown, and was dropped. */
  #isDropped = false
  readonly #outdated: Elapsed
  /** The refusal that the database repeats for something that it has shown before. */
  #refusal: string | null = null
  readonly #refused: Elapsed
  /** The database is ahead of what was heard: nothing has come since it said so. */
  #isSuspected = false
  /** Joined, but nothing is heard: broadcasts were lost that no gap told of. */
  #isDeaf = false
  /** A probe was refused: only whole reads are possible. */
  #cannotProbe = false
  /** Whether the network has worked since the browser last said that there is none. */
  #isOverruled = false
  #isStalled = false

  constructor(
    source: Kind,
    context: ResourceContext,
    subscribe: (handlers: SubscriptionHandlers<Update>) => Subscription,
  ) {
    const { scheduler } = context
    this.source = source
    this.#context = context
    const { receive, onJoined, onDown, onMissed } = this
    this.#subscription = subscribe({ receive, onJoined, onDown, onMissed })
    const readNow = () => this.#phase === 'following' && this.#ask('doubt')
    this.#outdated = new Elapsed(scheduler, outdatedFor, readNow)
    this.#refused = new Elapsed(scheduler, refusedAfter, readNow)
    this.#doubts = new DoubtLimiter(scheduler, () => this.#readIfNeeded('doubt'))
    this.#poll = new PollTimer({
      scheduler,
      state: () => this.#pollState(),
      onDue: () => this.#pollNow(),
    })
    this.#fetcher = new Fetcher<Answer, Update>({
      life: this.#life.signal,
      request: (fetch, signal, onSent) => source.fetch(fetch, signal, onSent),
      onStart: (fetch) => {
        this.#poll.stop()
        source.onFetch(fetch)
      },
      onAnswer: (answer, fetch) => this.#settle(answer, fetch),
      explain: (error) => source.explain(error),
      onFailure: (error, { isAwaited }) => {
        this.#trace('retry', error)
        this.#fail(error, isAwaited)
      },
    })
    this.#probeTarget = {
      runIds: () => (this.#canProbe && !this.#fetcher.current ? this.#probedIds : []),
      onSeqs: (seqs) => this.#compare(seqs),
      onFailed: (error) => this.#failProbe(error),
    }
  }

  get phase(): Phase {
    return this.#phase
  }

  /** Whether nothing is held that the database has said, and nothing is being started. */
  get isNothing(): boolean {
    return this.source.isNothing
  }

  /** Fires when the resource is disposed. */
  get signal(): AbortSignal {
    return this.#life.signal
  }

  /** Follows from now on: reads at once, and subscribes. What is known to have ended needs neither. */
  open(): void {
    if (this.#phase === 'following') return
    if (this.#phase === 'idle' && this.source.isSettled) {
      this.#phase = 'ended'
      this.#show()
    }
    if (this.#phase === 'ended') return
    this.#follow()
    this.subscribe()
    this.#ask('asked')
  }

  /** Follows what is about to exist: nothing is read yet. */
  openForStart(): void {
    if (this.#phase === 'ended') return
    if (this.#phase !== 'following') this.#follow()
    this.#show()
  }

  /** Subscribes, unless there is nothing more to hear. */
  subscribe(): void {
    if (this.#phase === 'following') this.#subscription.open()
    this.#show()
  }

  /** Leaves for good; an answer still under way changes nothing any more. */
  dispose(reason: string): void {
    this.#leave('idle')
    this.#show()
    this.#life.abort(new PgflowError('aborted', reason))
  }

  /**
   * Reads, or joins the read that is about to be sent. Resolves when an answer has come, be it an
   * outdated one.
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
   * @param ends - end the wait for what is under way; the request minds them itself.
   * @throws PgflowError
   */
  async submit(request: () => Promise<Answer>, ends: readonly EndSignal[]): Promise<void> {
    for (let fetch = this.#fetcher.current; fetch; fetch = this.#fetcher.current) {
      const { settled } = fetch
      await abortable(ends, () => settled.catch(ignore))
    }
    const options = { reason: 'asked', isAwaited: true, isRest: false } as const
    await this.#fetcher.run(options, (_fetch, _signal, onSent) => {
      onSent()
      return request()
    })
  }

  /** A start has failed, and there is nothing to show of the run. */
  failStart(error: PgflowError): void {
    this.#fail(error, true)
  }

  /** A start has got its answer: what is known now may be all. */
  startSettled(): void {
    this.#endIfSettled()
    this.#show()
    if (!this.#fetcher.current) this.#poll.schedule()
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
      const { starting } = this.source
      if (starting) await starting
      else await pause(scheduler, 250 * Math.max(1, this.#poll.failures), this.#life.signal)
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

  /** Merges what was heard. */
  readonly receive = (update: Update): void => {
    if (this.source.showsGaps) this.#poll.heard()
    if (this.#isSuspected) this.#poll.schedule()
    this.#isSuspected = false
    const isShownAsDead = this.#isDeaf || this.#isStalled
    this.#isDeaf = false
    if (this.#fetcher.current || !this.source.isShown) this.#fetcher.keep(update)
    const merged = this.source.receive(update, this.#fetcher.current !== null)
    if (this.#life.signal.aborted) return
    if (!merged) {
      this.#trace('stale', update)
      return
    }
    this.#trace(merged.needsSnapshot ? 'gap' : 'event', update)
    this.#poll.changed()
    if (isShownAsDead) this.#show()
    if (merged.needsSnapshot) this.#doubt()
    else if (merged.needsRest) this.#askRest()
    this.#endIfSettled()
  }

  /** Joined: broadcasts may have been missed until now. */
  readonly onJoined = (): void => {
    this.#trace('joined')
    this.#isOverruled = true
    this.#isDeaf = false
    this.#needsSnapshot = true
    this.#show()
    this.#ask('joined')
  }

  /** Not joined any more, or not yet. */
  readonly onDown = (error: PgflowError): void => {
    this.#trace('left', error)
    this.#needsSnapshot = true
    this.#hasPolled = false
    this.#isDeaf = false
    this.#isOverruled = false
    this.#poll.resetInterval()
    this.#show()
    if (!this.#fetcher.current) this.#poll.schedule()
  }

  /** Something was sent that could not be understood. */
  readonly onMissed = (): void => {
    this.#trace('gap')
    if (this.#phase !== 'following') return
    if (this.#fetcher.current?.isSent) this.#fetcher.current.isOvertaken = true
    this.#doubt()
  }

  /** The page is seen again or has its network back, or there is a new token. */
  wake(): void {
    if (this.#phase === 'idle' || this.#phase === 'ended') return
    const { isVisible, isOnline } = this.#context.surroundings
    if (!isOnline()) this.#isOverruled = false
    this.#poll.resetBackoff()
    this.#show()
    if (isVisible() && isOnline()) this.#ask('joined')
    else if (!this.#fetcher.current) this.#poll.schedule()
  }

  /** The same user has a new token: what was refused may be allowed. */
  onNewToken(): void {
    if (this.#error) this.wake()
  }

  get #isOffline(): boolean {
    return !this.#context.surroundings.isOnline() && !this.#isOverruled
  }

  get #canProbe(): boolean {
    if (this.#phase !== 'following' || this.#needsSnapshot || this.#error) return false
    return this.#context.probe.isPossible && !this.#cannotProbe
  }

  get #probedIds(): readonly string[] {
    return this.source.probedIds(this.#subscription.isJoined)
  }

  #follow(): void {
    this.#phase = 'following'
    this.#needsSnapshot = true
    this.#context.probe.add(this.#probeTarget)
  }

  #leave(phase: Phase): void {
    this.#phase = phase
    this.#poll.stop()
    this.#doubts.stop()
    this.#outdated.reset()
    this.#refused.reset()
    this.#context.probe.remove(this.#probeTarget)
    this.#subscription.close()
    this.#hasPolled = false
    this.#isDeaf = false
    this.#error = null
  }

  #ask(reason: FetchReason, isRest = false): void {
    this.#trace('fetch', reason)
    this.#fetcher.ask({ reason, isAwaited: false, isRest }).catch(ignore)
    this.#show()
  }

  #askRest(): void {
    // Whatever is under way looks at it anyway when it has its answer.
    if (!this.#fetcher.current) this.#ask('poll', true)
  }

  #readIfNeeded(reason: FetchReason): void {
    if (this.#phase === 'following' && this.#needsSnapshot && !this.#fetcher.current) {
      this.#ask(reason)
    }
  }

  /** What is shown may not be all, or not be true. */
  #doubt(): void {
    this.#needsSnapshot = true
    this.#show()
    // A request under way looks at the update again when it has its answer.
    if (!this.#fetcher.current) this.#doubts.request()
  }

  #settle(answer: Answer, fetch: Fetch<Update>): void {
    const { source } = this
    const merged = source.settle(answer, fetch, this.#outdated.isOver)
    if (this.#life.signal.aborted) return
    this.#isOverruled = true
    this.#isDropped = merged.isDropped
    if (merged.isOutdated) this.#outdated.begin()
    else this.#outdated.reset()
    this.#trace(merged.isOutdated ? 'outdated' : 'answer')
    if (merged.isDropped) {
      for (const update of fetch.updates) this.#fetcher.keep(update)
      this.#poll.failed()
    } else {
      this.#accept(fetch, merged.needsSnapshot, merged.isNews || fetch.updates.length > 0)
    }
    if (this.#phase === 'idle') return this.#endIfSettled()
    if (!merged.isDropped) this.#resume()
    const isCurrent = !merged.isDropped && !this.#fetcher.hasNext
    if (isCurrent && this.#needsSnapshot) this.#doubts.request()
    else if (isCurrent && merged.needsRest) this.#askRest()
    this.#endIfSettled()
    this.#show()
    if (!this.#fetcher.current) this.#poll.schedule()
  }

  /** An answer is merged. */
  #accept(fetch: Fetch<Update>, needsSnapshot: boolean, isNews: boolean): void {
    this.#error = null
    this.#refusal = null
    this.#refused.reset()
    this.#hasPolled = true
    if (this.#isSuspected && isNews && this.#subscription.isJoined) {
      this.#isDeaf = true
      this.#trace('deaf')
    }
    this.#isSuspected = false
    this.#poll.succeeded(isNews)
    const isBehind = needsSnapshot || this.#fetcher.hasNext || fetch.isOvertaken
    // The end of a list says nothing of what is before it.
    this.#needsSnapshot = fetch.isRest ? this.#needsSnapshot || needsSnapshot : isBehind
  }

  /** Follows what can be read after all, or goes on although it had ended. */
  #resume(): void {
    if (this.#phase === 'following' || (this.#phase === 'ended' && this.source.isSettled)) return
    this.#phase = 'following'
    this.#context.probe.add(this.#probeTarget)
    if (!this.source.isSettled) this.#subscription.open()
  }

  #fail(error: PgflowError, isAwaited: boolean): void {
    if (!isAwaited) this.#context.report(error)
    if (this.#phase === 'idle' || this.#phase === 'ended' || this.source.starting) return
    const mayPass = error.isTransient || error.code === 'server_error' || error.code === 'aborted'
    if (!mayPass && !this.#isDoubted(error)) return this.#refuse(error)
    if (error.code !== 'aborted') this.#error = error
    this.#poll.failed()
    this.#poll.schedule()
    this.#show()
  }

  /** Whether a refusal is not believed yet: what was readable a moment ago may be so again. */
  #isDoubted({ code }: PgflowError): boolean {
    if (this.#phase === 'refused' || !this.source.isShown) return false
    if (this.#refusal === code && this.#refused.isOver) return false
    if (this.#refusal !== code) this.#refused.reset()
    this.#refusal = code
    this.#refused.begin()
    return true
  }

  #refuse(error: PgflowError): void {
    this.#leave('refused')
    this.#error = error
    this.source.onRefused(error)
    this.#show()
    this.#poll.schedule()
  }

  #endIfSettled(): void {
    const isOver = this.#phase === 'ended' || this.#phase === 'refused'
    if (isOver || this.#needsSnapshot || this.#fetcher.current) return
    if (!this.source.isSettled) return
    this.#trace('ended')
    this.#leave('ended')
    this.#show()
  }

  #pollState() {
    const { isServer } = this.#context
    if (isServer || this.#phase === 'idle' || this.#phase === 'ended') return null
    const isRefused = this.#phase === 'refused'
    // What was never shown is not asked for again by itself.
    if (this.#fetcher.current || (isRefused && !this.source.isShown)) return null
    const isProbed = this.#canProbe && this.#probedIds.length > 0
    const isOffline = this.#isOffline
    return { isRefused, isOffline, isJoined: this.#subscription.isJoined, isProbed }
  }

  #pollNow(): void {
    const state = this.#pollState()
    if (!state) return
    // When nobody looks, `wake` follows. What confirms an end is asked for all the same.
    const isWatched = this.#context.surroundings.isVisible()
    if (!isWatched && !this.source.isUnconfirmed) return
    const { probesPerRead } = this.source
    const isRead = this.#poll.unchanged % probesPerRead === probesPerRead - 1
    if (this.#isSuspected) return this.#ask('doubt')
    if (!state.isProbed || isRead) return this.#ask('poll')
    this.#trace('probe')
    void this.#context.probe.request()
  }

  #compare(seqs: ReadonlyMap<string, number>): void {
    if (this.#fetcher.current) return
    this.#isOverruled = true
    if (!this.source.isBehind(seqs)) {
      this.#poll.succeeded(false)
      this.#show()
      return this.#poll.schedule()
    }
    // A broadcast may be on its way: what comes in time needs no read.
    this.#isSuspected = true
    this.#poll.schedule(deliveryTime)
  }

  #failProbe(error: PgflowError): void {
    if (this.#fetcher.current) return
    if (error.isTransient) {
      this.#error = error
      this.#poll.failed()
    } else this.#cannotProbe = true
    this.#context.report(error)
    this.#show()
    this.#poll.schedule()
  }

  #show(): void {
    if (this.#life.signal.aborted) return
    const isFollowed = this.#phase === 'following'
    this.#isStalled = isFollowed && this.#poll.stillness >= this.#context.stallAfter
    this.source.show({
      status: this.#status,
      error: this.#error ?? (this.#isDeaf ? silent() : this.#subscription.error),
      isAwaited: this.#fetcher.isAwaited,
      isStalled: this.#isStalled,
    })
  }

  /** Says no more than is known: `live` only if nothing can be missing. */
  get #status(): ConnectionStatus {
    if (this.#phase === 'idle') return 'idle'
    if (this.#phase !== 'following') return 'closed'
    const { isJoined, isOpen, isDown } = this.#subscription
    if (this.#error || this.#isOffline) return 'offline'
    if (isJoined && this.#isDeaf) return 'polling'
    if (isJoined) return this.#needsSnapshot ? 'connecting' : 'live'
    if (isOpen && !isDown) return 'connecting'
    if (this.#hasPolled) return 'polling'
    return isDown ? 'offline' : 'connecting'
  }

  #trace(kind: TraceKind, detail?: unknown): void {
    if (process.env.NODE_ENV !== 'production') {
      this.#context.trace?.({ kind, key: this.source.key, detail })
    }
  }
}
