import { toPgflowError, type PgflowError } from '../errors.ts'
import type { RunSnapshot } from '../model/entities.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { RunEvent } from '../model/wire.ts'
import { withDeadline } from './deadline.ts'

/** A request whose answer is a snapshot, and the broadcasts that arrived meanwhile. */
export interface Flight {
  /** Whether the request is on its way; until then its answer is as good as a later one's. */
  isSent: boolean
  /** Whether a caller waits for it, and will be told of a failure. */
  isAwaited: boolean
  since: RunEvent[]
  /** The seq that the store had reached when the request was made. */
  floor: number | null
  landed: Promise<void>
}

/** What is asked as soon as the flight under way has landed. */
interface NextFlight {
  isAwaited: boolean
  landed: Promise<void>
}

/** Sends the request; calls `onSend` when it is on its way. */
export type FlightRequest = (signal: AbortSignal, onSend: () => void) => Promise<RunSnapshot | null>

/** What flights need of the run they are for. */
export interface FlightContext {
  runId: string
  scheduler: Scheduler
  /** Ends every flight when it fires. */
  life: AbortSignal
  floor: () => number | null
  onLaunch: () => void
  /** The answer; what it throws fails the flight. */
  onLanded: (snapshot: RunSnapshot | null, flight: Flight) => void
  onFailed: (error: PgflowError, flight: Flight) => void
}

const ignore = () => undefined

/** The requests for one run: one at a time, and at most one after it for whatever is asked meanwhile. */
export class Flights {
  readonly #context: FlightContext
  #current: Flight | null = null
  #next: NextFlight | null = null

  constructor(context: FlightContext) {
    this.#context = context
  }

  get current(): Flight | null {
    return this.#current
  }

  /** Whether another one follows the current one anyway. */
  get hasNext(): boolean {
    return this.#next !== null
  }

  /**
   * Sends a read, or joins the one that is about to be sent. Resolves when its answer is in.
   * @throws PgflowError
   */
  ask(request: FlightRequest, timeout: number, isAwaited: boolean): Promise<void> {
    const current = this.#current
    if (!current) return this.launch(request, timeout, isAwaited)
    const sharer = current.isSent
      ? (this.#next ??= this.#queue(current, request, timeout))
      : current
    sharer.isAwaited ||= isAwaited
    return sharer.landed
  }

  /**
   * Sends a request now; there must be none under way.
   * @throws PgflowError
   */
  launch(
    request: FlightRequest,
    timeout: number,
    isAwaited: boolean,
    signal?: AbortSignal,
  ): Promise<void> {
    const { scheduler, life, floor, onLaunch } = this.#context
    onLaunch()
    const flight: Flight = {
      isSent: false,
      isAwaited,
      since: [],
      floor: floor(),
      landed: Promise.resolve(),
    }
    this.#current = flight
    const onSend = () => {
      flight.isSent = true
    }
    flight.landed = this.#land(flight, () =>
      withDeadline(scheduler, timeout, [signal, life], (deadline) => request(deadline, onSend)),
    )
    flight.landed.catch(ignore)
    return flight.landed
  }

  /**
   * Resolves when no request is under way; another may be by the time the caller goes on.
   * @throws PgflowError `timeout` or `aborted`
   */
  async settled(timeout: number, signal: AbortSignal | undefined): Promise<void> {
    const { scheduler, life } = this.#context
    const landed = this.#current?.landed
    if (landed) await withDeadline(scheduler, timeout, [signal, life], () => landed.catch(ignore))
  }

  #queue(after: Flight, request: FlightRequest, timeout: number): NextFlight {
    const next: NextFlight = { isAwaited: false, landed: Promise.resolve() }
    next.landed = after.landed.catch(ignore).then(() => {
      this.#next = null
      this.#context.life.throwIfAborted()
      return this.ask(request, timeout, next.isAwaited)
    })
    next.landed.catch(ignore)
    return next
  }

  async #land(flight: Flight, answer: () => Promise<RunSnapshot | null>): Promise<void> {
    const { runId, life, onLanded, onFailed } = this.#context
    try {
      const snapshot = await answer()
      // In one turn with what follows: an event in between would belong to no flight.
      this.#current = null
      life.throwIfAborted()
      onLanded(snapshot, flight)
    } catch (error) {
      this.#current = null
      const failure = toPgflowError(error).about(runId)
      if (!life.aborted) onFailed(failure, flight)
      throw failure
    }
  }
}
