import { PgflowError, toPgflowError } from '../errors.ts'
import { isTerminal, type Json, type RunSnapshot } from '../model/entities.ts'
import { backoff } from '../model/scheduler.ts'
import type { RunEvent } from '../model/wire.ts'
import type { RunChannel } from '../transport/types.ts'
import { pause, withDeadline } from './deadline.ts'
import type { SyncContext } from './types.ts'

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
  since: RunEvent[]
  /** The seq that the store had reached when the request was sent. */
  floor: number | null
  landed: Promise<void>
}

/**
 * Keeps one run in the store true: the database is the truth, broadcasts are hints. Every join is
 * followed by a snapshot that was asked for after it, so whatever was sent in between is in it.
 */
export class RunSync {
  readonly #runId: string
  readonly #context: SyncContext
  #channel: RunChannel | null = null
  #isJoined = false
  /** Something may be missing in the store: joined anew, a gap, a message that held too little. */
  #isBehind = true
  #flight: Flight | null = null
  /** The flight after the current one, for what was asked while that was already under way. */
  #nextFlight: Promise<void> | null = null
  #failures = 0
  /** Counts starts that came to nothing: what was asked for before is moot. */
  #abandoned = 0
  #isDisposed = false
  #cancelRetry = () => {}

  constructor(runId: string, context: SyncContext) {
    this.#runId = runId
    this.#context = context
  }

  /** Joins, and asks for a snapshot at once; a run that is known to have ended needs neither. */
  open(): void {
    if (this.#channel || this.#hasEnded()) return
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

  /**
   * Starts the run; joining and the RPC go out together.
   * @throws PgflowError
   */
  async start(request: StartRequest): Promise<void> {
    const { sink, times } = this.#context
    sink.begin(this.#runId, request.flowSlug, request.input)
    this.#join()
    try {
      while (this.#flight) await this.#flight.landed.catch(() => undefined)
      const timeout = request.timeout ?? times.startTimeout
      await this.#fly((signal) => this.#startRepeatedly(request, signal), timeout, request.signal)
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
   * @throws PgflowError
   */
  refresh(): Promise<void> {
    const { transport, times } = this.#context
    if (!this.#flight) {
      const fetchRun = (signal: AbortSignal) => transport.fetchRun(this.#runId, signal)
      return this.#fly(fetchRun, times.snapshotTimeout)
    }
    const abandoned = this.#abandoned
    this.#nextFlight ??= this.#flight.landed
      .catch(() => undefined)
      .then(() => {
        this.#nextFlight = null
        return abandoned === this.#abandoned ? this.refresh() : undefined
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

  #hasEnded(): boolean {
    const status = this.#context.sink.connection(this.#runId)?.status
    return this.#run !== undefined && isTerminal(this.#run.status) && status === 'closed'
  }

  #join(): void {
    if (this.#channel) return
    this.#isBehind = true
    this.#channel = this.#context.transport.openChannel(this.#runId, {
      onEvent: (event) => this.#onEvent(event),
      onJoined: () => {
        this.#isJoined = true
        this.#fallBehind()
      },
      onDown: (error) => {
        this.#isJoined = false
        this.#isBehind = true
        this.#showStatus(error)
      },
      onMalformed: (error) => {
        this.#context.report(error)
        this.#fallBehind(error)
      },
    })
    this.#showStatus()
  }

  #leave(): void {
    this.#cancelRetry()
    this.#channel?.close()
    this.#channel = null
    this.#isJoined = false
  }

  #fallBehind(error?: PgflowError): void {
    this.#isBehind = true
    this.#showStatus(error)
    void this.#askQuietly()
  }

  #onEvent(event: RunEvent): void {
    this.#flight?.since.push(event)
    // Before the first snapshot there is nothing to merge into; the flight keeps the event.
    if (!this.#run) return
    const outcome = this.#context.sink.applyEvent(event)
    if (outcome.kind === 'stale') return
    if (outcome.isGap || event.isPartial) {
      this.#isBehind = true
      // A flight under way looks at the event again when it lands.
      if (!this.#flight) void this.#askQuietly()
    }
    this.#settle()
  }

  /** Asks on nobody's behalf: a failure is reported and, if it may pass, asked again. */
  async #askQuietly(): Promise<void> {
    try {
      await this.refresh()
    } catch (error) {
      this.#recover(toPgflowError(error).about(this.#runId))
    }
  }

  #fly(
    request: (signal: AbortSignal) => Promise<RunSnapshot | null>,
    timeout: number,
    signal?: AbortSignal,
  ): Promise<void> {
    this.#cancelRetry()
    const { scheduler, sink } = this.#context
    const floor = sink.view(this.#runId)?.seq ?? null
    const flight: Flight = { since: [], floor, landed: Promise.resolve() }
    this.#flight = flight
    flight.landed = withDeadline(scheduler, timeout, signal, request).then(
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
    this.#failures = 0
    const known = snapshot.seq ?? 0
    const isIncomplete = since.some((event) => event.isPartial && (event.seq ?? Infinity) > known)
    this.#isBehind = outcome.isGap || isIncomplete || this.#nextFlight !== null
    if (this.#isBehind && !this.#nextFlight) void this.#askQuietly()
    this.#showStatus()
    this.#settle()
  }

  #recover(error: PgflowError): void {
    if (this.#isDisposed) return
    this.#context.report(error)
    if (error.isTransient || error.code === 'server_error') {
      this.#showStatus(error)
      this.#askLater()
    } else {
      this.#leave()
      this.#context.sink.setConnection(this.#runId, { status: 'closed', error: error.toJSON() })
    }
  }

  #askLater(): void {
    if (!this.#channel) return
    const { scheduler } = this.#context
    this.#cancelRetry()
    this.#cancelRetry = scheduler.after(
      backoff(this.#failures++, scheduler.random),
      () => void this.#askQuietly(),
    )
  }

  /** Leaves when the run has ended and all of it is in the store. */
  #settle(): void {
    const run = this.#run
    if (!run || !isTerminal(run.status) || this.#isBehind || this.#flight) return
    this.#leave()
    this.#context.sink.setConnection(this.#runId, { status: 'closed', error: null })
  }

  #showStatus(error?: PgflowError): void {
    const { sink } = this.#context
    if (!this.#channel && sink.connection(this.#runId)?.status === 'closed') return
    const isLive = this.#isJoined && !this.#isBehind
    const isDown = error !== undefined && error.code !== 'malformed_message'
    const joined = isLive ? 'live' : isDown ? 'offline' : 'connecting'
    sink.setConnection(this.#runId, {
      status: this.#channel ? joined : 'idle',
      ...(error && { error: error.toJSON() }),
      ...(isLive && { error: null }),
    })
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
