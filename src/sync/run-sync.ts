import { PgflowError, toPgflowError } from '../errors.ts'
import {
  isTerminal,
  type ConnectionStatus,
  type Json,
  type RunSnapshot,
} from '../model/entities.ts'
import { backoff } from '../model/scheduler.ts'
import type { RunEvent } from '../model/wire.ts'
import type { RunChannel } from '../transport/types.ts'
import { pause, withDeadline } from './deadline.ts'
import { patience } from './patience.ts'
import type { RunSyncContext } from './types.ts'

/** What a start may be given. */
export interface StartRequest {
  flowSlug: string
  input: Json
  /** Gives up waiting, not starting: the run may exist all the same. */
  signal?: AbortSignal | undefined
  /** In ms, repetitions included. */
  timeout?: number | undefined
}

/** A request whose answer is a snapshot, and the broadcasts that arrived meanwhile. */
interface Flight {
  /** Whether the request is on its way; until then its answer is as good as a later one's. */
  isSent: boolean
  since: RunEvent[]
  /** The seq that the store had reached when the request was sent. */
  floor: number | null
  landed: Promise<void>
}

/** How long a read waits for those of other runs, in ms. */
const gatherJoins = 100
const gatherPolls = 250

/**
 * Keeps one run in the store true: the database is the truth, broadcasts are hints. Every join is
 * followed by a snapshot that was asked for after it, so whatever was sent in between is in it; and
 * silence is not trusted for ever.
 */
export class RunSync {
  readonly #runId: string
  readonly #context: RunSyncContext
  /** Whether the run is to be followed, over a channel or without one. */
  #isOpen = false
  #channel: RunChannel | null = null
  #isJoined = false
  /** Something may be missing in the store: joined anew, a gap, a message that held too little. */
  #isBehind = true
  #flight: Flight | null = null
  /** The flight after the current one, for what was asked while that was already under way. */
  #nextFlight: Promise<void> | null = null
  /** Counts starts that came to nothing: what was asked for before is moot. */
  #abandoned = 0
  #isDisposed = false
  #channelError: PgflowError | null = null
  #snapshotError: PgflowError | null = null
  /** A snapshot has landed since the channel went down: polling works. */
  #hasPolled = false
  #failures = 0
  #unchanged = 0
  #lastSign = 0
  #cancelTimer = () => {}

  constructor(runId: string, context: RunSyncContext) {
    this.#runId = runId
    this.#context = context
  }

  /** Joins, and asks for a snapshot at once; a run that is known to have ended needs neither. */
  open(): void {
    if (this.#isOpen || this.#hasEnded()) return
    this.#isOpen = true
    this.#join()
    void this.#askQuietly()
  }

  /** Leaves. What is in the store stays there; `open` takes it up again. */
  close(): void {
    this.#leave()
    if (this.#run) this.#showStatus()
  }

  /** Leaves for good; an answer still under way changes nothing any more. */
  dispose(): void {
    this.#isDisposed = true
    this.#leave()
  }

  /** The page is seen again, or has its network back: whatever was missed is asked for. */
  wake(): void {
    if (!this.#isOpen) return
    this.#failures = 0
    this.#unchanged = 0
    this.#showStatus()
    if (this.#isAwake()) void this.#askQuietly(gatherJoins)
  }

  /**
   * Starts the run. Joining and the RPC go out together, where the channel allows it.
   * @throws PgflowError
   */
  async start(request: StartRequest): Promise<void> {
    const { sink, times, transport } = this.#context
    sink.begin(this.#runId, request.flowSlug, request.input)
    this.#isOpen = true
    if (transport.canJoinEarly) this.#join()
    else this.#showStatus()
    try {
      while (this.#flight) await this.#flight.landed.catch(() => undefined)
      const timeout = request.timeout ?? times.startTimeout
      const send = (signal: AbortSignal, onSend: () => void) => {
        onSend()
        return this.#startRepeatedly(request, signal)
      }
      await this.#fly(send, timeout, request.signal)
      this.#join()
    } catch (error) {
      const failure = toPgflowError(error).about(this.#runId)
      if (this.#run?.status === 'pending') {
        this.#abandoned += 1
        this.#leave()
        sink.forget(this.#runId)
      } else if (failure.isTransient) {
        // A broadcast of the run came through: it was started, only the reply is lost.
        return this.refresh()
      }
      throw failure
    }
  }

  /**
   * Resolves once a snapshot asked for after this call is in the store.
   * @param gather - how long to wait for the reads of other runs, in ms.
   * @throws PgflowError
   */
  refresh(gather = 0): Promise<void> {
    const { batch, times } = this.#context
    if (!this.#flight) {
      const fetchRun = (_: AbortSignal, onSend: () => void) =>
        batch.fetch(this.#runId, gather, onSend)
      return this.#fly(fetchRun, times.snapshotTimeout)
    }
    if (!this.#flight.isSent) return this.#flight.landed
    const abandoned = this.#abandoned
    this.#nextFlight ??= this.#flight.landed
      .catch(() => undefined)
      .then(() => {
        this.#nextFlight = null
        return abandoned === this.#abandoned ? this.refresh(gather) : undefined
      })
    return this.#nextFlight
  }

  /**
   * Resolves once the run is in the store.
   * @throws PgflowError
   */
  ready(): Promise<void> {
    if (this.#flight) return this.#flight.landed
    return this.#run ? Promise.resolve() : this.refresh()
  }

  get #run() {
    return this.#context.sink.view(this.#runId)?.run
  }

  #isAwake(): boolean {
    const { isVisible, isOnline } = this.#context.surroundings
    return isVisible() && isOnline()
  }

  #hasEnded(): boolean {
    const status = this.#context.sink.connection(this.#runId)?.status
    return this.#run !== undefined && isTerminal(this.#run.status) && status === 'closed'
  }

  /** Opens the channel; where none is left, the run is polled until one is. */
  readonly #join = (): void => {
    const { budget, transport } = this.#context
    if (!this.#isOpen || this.#channel || this.#isSettled()) return
    if (!budget.take(this.#join)) {
      this.#showStatus()
      return
    }
    this.#isBehind = true
    this.#channel = transport.openChannel(this.#runId, {
      onEvent: (event) => this.#onEvent(event),
      onJoined: () => {
        this.#isJoined = true
        this.#channelError = null
        this.#fallBehind()
      },
      onDown: (error) => {
        this.#isJoined = false
        this.#isBehind = true
        this.#hasPolled = false
        this.#unchanged = 0
        this.#channelError = error
        this.#showStatus()
        this.#schedule()
      },
      onMalformed: (error) => {
        this.#context.report(error)
        this.#fallBehind()
      },
    })
    this.#showStatus()
  }

  #leave(): void {
    const { budget } = this.#context
    this.#cancelTimer()
    this.#isOpen = false
    this.#isJoined = false
    this.#hasPolled = false
    this.#channelError = null
    this.#snapshotError = null
    budget.forget(this.#join)
    const channel = this.#channel
    this.#channel = null
    if (!channel) return
    channel.close()
    budget.give()
  }

  #fallBehind(): void {
    this.#isBehind = true
    this.#showStatus()
    void this.#askQuietly(gatherJoins)
  }

  #onEvent(event: RunEvent): void {
    this.#lastSign = this.#context.scheduler.now()
    this.#flight?.since.push(event)
    // Before the first snapshot there is nothing to merge into; the flight keeps the event.
    if (!this.#run) return
    const outcome = this.#context.sink.applyEvent(event)
    if (outcome.kind === 'stale') return
    this.#unchanged = 0
    if (outcome.isGap || event.isPartial) {
      this.#isBehind = true
      // A flight under way looks at the event again when it lands.
      if (!this.#flight) void this.#askQuietly()
    }
    this.#settle()
  }

  /** Asks on nobody's behalf: a failure is reported and, if it may pass, asked again. */
  async #askQuietly(gather = 0): Promise<void> {
    try {
      await this.refresh(gather)
    } catch (error) {
      this.#recover(toPgflowError(error).about(this.#runId))
    }
  }

  #fly(
    request: (signal: AbortSignal, onSend: () => void) => Promise<RunSnapshot | null>,
    timeout: number,
    signal?: AbortSignal,
  ): Promise<void> {
    this.#cancelTimer()
    const { scheduler, sink } = this.#context
    const floor = sink.view(this.#runId)?.seq ?? null
    const flight: Flight = { isSent: false, since: [], floor, landed: Promise.resolve() }
    this.#flight = flight
    const onSend = () => {
      flight.isSent = true
    }
    const send = (deadline: AbortSignal) => request(deadline, onSend)
    flight.landed = withDeadline(scheduler, timeout, signal, send).then(
      // In one turn with the landing: what arrives in between would belong to no flight.
      (snapshot) => {
        this.#flight = null
        this.#land(snapshot, flight)
      },
      (error: unknown) => {
        this.#flight = null
        throw error
      },
    )
    return flight.landed
  }

  #land(snapshot: RunSnapshot | null, { since, floor }: Flight): void {
    if (this.#isDisposed) throw new PgflowError('aborted', 'The run is not followed any more.')
    if (!snapshot) {
      // Asked before the run existed: it is being started here, or broadcasts of it came meanwhile.
      if (this.#run?.status === 'pending' || since.length > 0) return this.#askLater()
      throw notFound(this.#runId)
    }
    const outcome = this.#context.sink.applySnapshot(snapshot, since, floor)
    if (outcome.kind === 'stale') return this.#askLater()
    this.#snapshotError = null
    this.#hasPolled = true
    this.#failures = 0
    this.#unchanged = outcome.seq !== null && outcome.seq === floor ? this.#unchanged + 1 : 0
    this.#lastSign = this.#context.scheduler.now()
    const known = snapshot.seq ?? 0
    const isIncomplete = since.some((event) => event.isPartial && (event.seq ?? Infinity) > known)
    this.#isBehind = outcome.isGap || isIncomplete || this.#nextFlight !== null
    if (this.#isBehind && !this.#nextFlight) void this.#askQuietly()
    this.#showStatus()
    this.#settle()
    this.#schedule()
  }

  #recover(error: PgflowError): void {
    if (this.#isDisposed) return
    this.#context.report(error)
    if (error.isTransient || error.code === 'server_error') {
      this.#snapshotError = error
      this.#showStatus()
      this.#askLater()
    } else {
      this.#leave()
      this.#context.sink.setConnection(this.#runId, { status: 'closed', error: error.toJSON() })
    }
  }

  #askLater(): void {
    this.#failures += 1
    this.#schedule()
  }

  /** Asks again after a failure, and when it has been silent for too long. */
  #schedule(wait?: number): void {
    this.#cancelTimer()
    if (!this.#isOpen || this.#flight) return
    const { scheduler } = this.#context
    const silence = { failures: this.#failures, isLive: this.#isJoined, unchanged: this.#unchanged }
    const total = wait ?? patience(silence, scheduler.random)
    this.#cancelTimer = scheduler.after(total, () => {
      const left = this.#failures > 0 ? 0 : this.#lastSign + total - scheduler.now()
      if (left > 0) this.#schedule(left)
      // Nobody looks, or nothing can be reached: `wake` follows.
      else if (this.#isAwake()) void this.#askQuietly(gatherPolls)
    })
  }

  #isSettled(): boolean {
    const run = this.#run
    return run !== undefined && isTerminal(run.status) && !this.#isBehind && !this.#flight
  }

  /** Leaves when the run has ended and all of it is in the store. */
  #settle(): void {
    if (!this.#isSettled()) return
    this.#leave()
    this.#context.sink.setConnection(this.#runId, { status: 'closed', error: null })
  }

  #showStatus(): void {
    const { sink } = this.#context
    if (!this.#isOpen && sink.connection(this.#runId)?.status === 'closed') return
    const error = this.#snapshotError ?? this.#channelError
    sink.setConnection(this.#runId, {
      status: this.#isOpen ? this.#status() : 'idle',
      error: error?.toJSON() ?? null,
    })
  }

  #status(): ConnectionStatus {
    if (this.#snapshotError || !this.#context.surroundings.isOnline()) return 'offline'
    if (this.#isJoined) return this.#isBehind ? 'connecting' : 'live'
    if (this.#channel && !this.#channelError) return 'connecting'
    if (this.#hasPolled) return 'polling'
    return this.#channelError ? 'offline' : 'connecting'
  }

  /** Repeating is safe: the database returns the run that an earlier attempt has started. */
  async #startRepeatedly(request: StartRequest, signal: AbortSignal): Promise<RunSnapshot> {
    const { transport, scheduler } = this.#context
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await transport.startFlow(request.flowSlug, request.input, this.#runId, signal)
      } catch (error) {
        if (signal.aborted || !toPgflowError(error).isTransient) throw error
        await pause(scheduler, backoff(attempt, scheduler.random), signal)
      }
    }
  }
}

function notFound(runId: string): PgflowError {
  return new PgflowError('run_not_found', `There is no run ${runId}, or it is not yours to see.`, {
    runId,
    hint: 'Check the id, and that you are signed in as the user who started the run.',
  })
}
