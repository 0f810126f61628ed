import { PgflowError, runNotFound, toPgflowError } from '../errors.ts'
import { isTerminal, type RunSnapshot } from '../model/entities.ts'
import type { RunEvent } from '../model/wire.ts'
import { ChannelSlot } from './channel-slot.ts'
import { showLiveness, type Liveness } from './connection-status.ts'
import { pause } from './deadline.ts'
import { Flights, type Flight, type FlightRequest } from './flights.ts'
import { flyStart, type StartRequest } from './start-run.ts'
import type { RunSyncContext } from './types.ts'
import { Watchdog } from './watchdog.ts'

/** How long a read waits for those of other runs, in ms. */
const gatherJoins = 100
const gatherPolls = 250
/** How long a caller's read waits before it is repeated, in ms. */
const askAgainAfter = 250
/** After so many outdated snapshots in a row it is the store that is wrong. */
const mostOutdated = 6

const ignore = () => undefined

/**
 * Keeps one run in the store true: the database is the truth, broadcasts are hints. Every join is
 * followed by a snapshot that was asked for after it, so whatever was sent in between is in it; and
 * silence is not trusted for ever.
 */
export class RunSync {
  readonly #runId: string
  readonly #context: RunSyncContext
  readonly #slot: ChannelSlot
  readonly #life = new AbortController()
  /** Whether the run is to be followed, over a channel or without one. */
  #isOpen = false
  /** Something may be missing in the store: joined anew, a gap, a message that held too little. */
  #isBehind = true
  /** Following has ended with a failure. Who can read the run all the same follows it again. */
  #hasGivenUp = false
  /** What was written may not be all, or not be true: it is not told before a snapshot has come. */
  #isInDoubt = false
  /** Starts that wait for their answer. */
  #starts = 0
  /** Settles when all of them have their answer. */
  #started: Promise<void> = Promise.resolve()
  readonly #flights: Flights
  #snapshotError: PgflowError | null = null
  /** A snapshot has landed since the channel went down: polling works. */
  #hasPolled = false
  #outdated = 0
  readonly #watchdog: Watchdog

  constructor(runId: string, context: RunSyncContext) {
    this.#runId = runId
    this.#context = context
    this.#watchdog = new Watchdog({
      scheduler: context.scheduler,
      isWanted: () => this.#isOpen && !this.#flights.current && !context.isServer,
      isLive: () => this.#slot.isJoined,
      // When nobody looks, or nothing can be reached, `wake` follows.
      ask: () => {
        if (this.#isAwake()) this.#ask(gatherPolls, false).catch(ignore)
      },
    })
    this.#flights = new Flights({
      runId,
      scheduler: context.scheduler,
      life: this.#life.signal,
      floor: () => context.sink.view(runId)?.seq ?? null,
      onLaunch: () => this.#watchdog.stop(),
      onLanded: (snapshot, flight) => this.#apply(snapshot, flight),
      onFailed: (error, flight) => {
        if (this.#starts === 0) this.#failed(error, flight.isAwaited)
      },
    })
    this.#slot = new ChannelSlot(runId, context, {
      onEvent: (event) => this.#onEvent(event),
      onJoined: () => this.#fallBehind(),
      onDown: (error) => this.#onDown(error),
      onMalformed: (error) => {
        context.report(error)
        this.#fallBehind()
      },
    })
  }

  /** Whether nothing but a start that came to nothing is held of the run. */
  get isNothing(): boolean {
    return this.#starts === 0 && !this.isShown
  }

  /** Joins, and asks for a snapshot at once; a run that is known to have ended needs neither. */
  open(): void {
    this.#hasGivenUp = false
    if (this.#isOpen || this.#hasEnded()) return
    this.#isOpen = true
    this.#isBehind = true
    this.#join()
    this.#ask(0, false).catch(ignore)
  }

  /** Leaves for good; an answer still under way changes nothing any more. */
  dispose(): void {
    this.#leave()
    this.#showStatus()
    this.#life.abort(new PgflowError('aborted', 'The run is not followed any more.'))
  }

  /** The page is seen again, or has its network back: whatever was missed is asked for. */
  wake(): void {
    if (!this.#isOpen) return
    this.#watchdog.forgive()
    this.#showStatus()
    if (this.#isAwake()) this.#ask(gatherJoins, false).catch(ignore)
  }

  /**
   * Starts the run. Joining and the RPC go out together, where the channel allows it.
   * @throws PgflowError
   */
  async start(request: StartRequest): Promise<void> {
    const { sink, transport } = this.#context
    sink.begin(this.#runId, request.flowSlug, request.input)
    this.#isOpen = true
    this.#starts += 1
    let end = () => {}
    const answered = new Promise<void>((resolve) => (end = resolve))
    this.#started = Promise.all([this.#started, answered]).then(ignore)
    let failure: PgflowError
    try {
      if (transport.canJoinEarly) this.#join()
      this.#showStatus()
      await flyStart(this.#context, this.#runId, this.#flights, request)
      this.#starts -= 1
      this.#join()
      return
    } catch (error) {
      this.#starts -= 1
      failure = toPgflowError(error).about(this.#runId)
    } finally {
      end()
    }
    // A broadcast of the run came through: it was started, only the reply is lost.
    if (failure.isTransient && this.#run && this.#run.status !== 'pending') return this.refresh()
    // Whoever else observes the run is told, and goes on.
    if (this.isNothing) this.#failed(failure, true)
    else {
      this.#settle()
      this.#showStatus()
      this.#watchdog.schedule()
    }
    throw failure
  }

  /**
   * Resolves once a snapshot asked for after this call is in the store.
   * @throws PgflowError
   */
  async refresh(): Promise<void> {
    await this.#ask(0, true)
    while (!this.isShown || this.#outdated > 0) {
      if (this.#starts > 0) await this.#started
      else await pause(this.#context.scheduler, askAgainAfter, this.#life.signal)
      await this.#ask(0, true)
    }
  }

  /**
   * Resolves once the run is in the store.
   * @throws PgflowError
   */
  async ready(): Promise<void> {
    while (!this.isShown) {
      if (this.#flights.current) await this.#flights.current.landed
      else if (this.#starts > 0) await this.#started
      else await this.refresh()
    }
  }

  /** Whether the store holds what the database has said of the run. */
  get isShown(): boolean {
    return (this.#run?.status ?? 'pending') !== 'pending'
  }

  get #run() {
    return this.#context.sink.view(this.#runId)?.run
  }

  #isAwake(): boolean {
    const { isVisible, isOnline } = this.#context.surroundings
    return isVisible() && isOnline()
  }

  #hasEnded(): boolean {
    const { status, error } = this.#context.sink.connection(this.#runId) ?? {}
    const isOver = this.#run !== undefined && isTerminal(this.#run.status)
    return isOver && status === 'closed' && error === null
  }

  #join(): void {
    if (this.#isOpen && !this.#isSettled()) this.#slot.open()
    this.#showStatus()
  }

  #leave(): void {
    this.#watchdog.stop()
    this.#isOpen = false
    this.#hasPolled = false
    this.#snapshotError = null
    this.#slot.close()
  }

  #fallBehind(): void {
    this.#isBehind = true
    this.#showStatus()
    this.#ask(gatherJoins, false).catch(ignore)
  }

  #onDown(error: PgflowError): void {
    this.#isBehind = true
    this.#hasPolled = false
    this.#watchdog.hurry()
    this.#context.report(error)
    this.#showStatus()
    this.#watchdog.schedule()
  }

  #onEvent(event: RunEvent): void {
    this.#watchdog.sign()
    this.#flights.current?.since.push(event)
    // Before the first snapshot there is nothing to merge into; the flight keeps the event.
    if (!this.#run) return
    const outcome = this.#context.sink.applyEvent(event)
    if (outcome.kind === 'stale') return
    this.#watchdog.change()
    this.#showStalled()
    if (outcome.isGap || event.isPartial || this.#seemsOver()) {
      this.#isBehind = true
      this.#isInDoubt = true
      this.#showStatus()
      // A flight under way looks at the event again when it lands.
      if (!this.#flights.current) this.#ask(0, false).catch(ignore)
    }
    if (!this.#isInDoubt) this.#context.sink.tell(this.#runId)
    this.#settle()
  }

  #ask(gather: number, isAwaited: boolean): Promise<void> {
    const { batch, times } = this.#context
    const read: FlightRequest = (_, onSend) => batch.fetch(this.#runId, gather, onSend)
    return this.#flights.ask(read, times.snapshotTimeout, isAwaited)
  }

  #apply(snapshot: RunSnapshot | null, { since, floor }: Flight): void {
    if (!snapshot) {
      // Asked before the run existed: it is being started here, or broadcasts of it came meanwhile.
      if (this.#starts > 0) return
      if (since.length > 0) return this.#askLater()
      throw runNotFound(this.#runId)
    }
    if (snapshot.run.run_id !== this.#runId) {
      throw new PgflowError('malformed_reply', `Another run came: ${snapshot.run.run_id}`)
    }
    const isHopeless = this.#outdated >= mostOutdated
    const outcome = this.#context.sink.applySnapshot(snapshot, since, isHopeless ? null : floor)
    if (outcome.kind === 'stale') {
      this.#outdated += 1
      return this.#askLater()
    }
    this.#snapshotError = null
    this.#hasPolled = true
    this.#outdated = 0
    this.#watchdog.succeed(outcome.hasChanged || since.length > 0)
    this.#showStalled()
    const known = snapshot.seq ?? 0
    const isIncomplete = since.some((event) => event.isPartial && (event.seq ?? Infinity) > known)
    const isUnconfirmed = this.#seemsOver() && !isTerminal(snapshot.run.status)
    this.#isInDoubt = outcome.isGap || isIncomplete || isUnconfirmed
    if (!this.#isInDoubt) this.#context.sink.tell(this.#runId)
    this.#isBehind = this.#isInDoubt || this.#flights.hasNext
    if (this.#isBehind && !this.#flights.hasNext) this.#ask(0, false).catch(ignore)
    this.#showStatus()
    this.#settle()
    this.#watchdog.schedule()
    if (this.#hasGivenUp) this.open()
  }

  /** A read failed: what may pass is asked again, anything else ends the following. */
  #failed(error: PgflowError, isAwaited: boolean): void {
    if (!isAwaited) this.#context.report(error)
    if (!this.#isOpen) return
    if (error.code === 'aborted') this.#askLater()
    else if (error.isTransient || error.code === 'server_error') {
      this.#snapshotError = error
      this.#askLater()
      this.#showStatus()
    } else {
      this.#leave()
      this.#hasGivenUp = true
      if (this.isNothing) this.#context.sink.forget(this.#runId)
      this.#context.sink.setConnection(this.#runId, { status: 'closed', error: error.toJSON() })
    }
  }

  #askLater(): void {
    this.#watchdog.fail()
    this.#watchdog.schedule()
  }

  /**
   * The run has ended by what broadcasts say. On a public channel anybody who knows the id can send
   * such a broadcast, and without a seq those before it may be lost: a snapshot has to confirm it.
   */
  #seemsOver(): boolean {
    const run = this.#run
    return this.#context.transport.canJoinEarly && run !== undefined && isTerminal(run.status)
  }

  #showStalled(): void {
    const { sink, times } = this.#context
    const stalled = this.#watchdog.stillness >= times.stallAfter
    if (stalled !== sink.connection(this.#runId)?.stalled) {
      sink.setConnection(this.#runId, { stalled })
    }
  }

  #isSettled(): boolean {
    const run = this.#run
    return run !== undefined && isTerminal(run.status) && !this.#isBehind && !this.#flights.current
  }

  /** Leaves when the run has ended and all of it is in the store. */
  #settle(): void {
    if (!this.#isSettled()) return
    this.#leave()
    const settled = { status: 'closed', stalled: false, error: null } as const
    this.#context.sink.setConnection(this.#runId, settled)
  }

  #showStatus(): void {
    const liveness = this.#isOpen ? this.#liveness() : null
    const error = this.#snapshotError ?? this.#slot.error
    showLiveness(this.#context.sink, this.#runId, liveness, error)
  }

  #liveness(): Liveness {
    return {
      isOnline: this.#context.surroundings.isOnline(),
      hasFailed: this.#snapshotError !== null,
      isJoined: this.#slot.isJoined,
      isBehind: this.#isBehind,
      isJoining: this.#slot.isOpen && this.#slot.error === null,
      isDown: this.#slot.error !== null,
      hasPolled: this.#hasPolled,
    }
  }
}
