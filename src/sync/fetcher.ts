import { toPgflowError, type PgflowError } from '../errors.ts'
import { abortable } from './abort.ts'

/** Why a request is made. It decides how long the request waits, to be sent together with others. */
export type FetchReason = 'start' | 'asked' | 'joined' | 'doubt' | 'poll'

/** What is requested. */
export interface FetchOptions {
  reason: FetchReason
  /** Whether a caller waits for it, and receives its failure. */
  isAwaited: boolean
  /** Whether it reads only the rows that are missing at the end of a list. */
  isRest: boolean
}

/** A request, and the updates received since it was made. */
export interface Fetch<Update> extends FetchOptions {
  /** Not sent yet: later callers may share it. */
  isSent: boolean
  /** A broadcast that could not be parsed came after it was sent: its snapshot may be older. */
  isOvertaken: boolean
  updates: Update[]
  /** The updates received before it was sent. The snapshot contains them, unless it is outdated. */
  earlier: ReadonlySet<Update>
  /** Sends it now, if it still waits. */
  sendNow: () => void
  settled: Promise<void>
}

/** Sends a request. It calls `onSent` when the request is sent. */
export type FetchRequest<Snapshot, Update> = (
  fetch: Fetch<Update>,
  signal: AbortSignal,
  onSent: () => void,
) => Promise<Snapshot>

/** What a fetcher needs from the resource that it reads. */
export interface FetcherContext<Snapshot, Update> {
  /** Ends every request when it fires. */
  life: AbortSignal
  request: FetchRequest<Snapshot, Update>
  onStart: () => void
  /** The request is sent. */
  onSent: () => void
  /** Merges the snapshot. If it throws, the request fails. */
  onSnapshot: (snapshot: Snapshot, fetch: Fetch<Update>) => void
  onFailure: (error: PgflowError, fetch: Fetch<Update>) => void
  /** Adds what a failure is about, such as the run's id. */
  explain: (error: PgflowError) => PgflowError
}

/** How many updates are kept for the next snapshot. A gap in the seq shows if one was dropped. */
const mostKept = 1_000
const ignore = () => undefined

/** The requests of one resource: one under way, and at most one queued, which later callers share. */
export class Fetcher<Snapshot, Update> {
  readonly #context: FetcherContext<Snapshot, Update>
  #current: Fetch<Update> | null = null
  #next: (FetchOptions & { settled: Promise<void> }) | null = null
  /** Updates received since the last merged snapshot. */
  #kept: Update[] = []

  constructor(context: FetcherContext<Snapshot, Update>) {
    this.#context = context
  }

  get current(): Fetch<Update> | null {
    return this.#current
  }

  /** Whether another request for everything is queued after the current one. */
  get hasNext(): boolean {
    return this.#next?.isRest === false
  }

  /** Whether a caller waits. */
  get isAwaited(): boolean {
    return (this.#current?.isAwaited ?? false) || (this.#next?.isAwaited ?? false)
  }

  /**
   * Whether updates are to be kept for the next snapshot: while a request is under way, and after it
   * failed. Its updates are merged with the next snapshot, and must not miss those that came later.
   */
  get isKeeping(): boolean {
    return this.#current !== null || this.#kept.length > 0
  }

  /** Keeps an update for the next snapshot, which may be older. */
  keep(update: Update): void {
    const updates = this.#current?.updates ?? this.#kept
    updates.push(update)
    if (updates.length > mostKept) updates.shift()
  }

  /** Drops updates that have turned out to be wrong. */
  discard(isWrong: (update: Update) => boolean): void {
    const updates = this.#current?.updates ?? this.#kept
    updates.splice(0, updates.length, ...updates.filter((update) => !isWrong(update)))
  }

  /**
   * Resolves when the snapshot of a request that was sent after this call is merged.
   * @throws PgflowError
   */
  ask(options: FetchOptions): Promise<void> {
    const current = this.#current
    if (!current) return this.run(options, this.#context.request)
    const shared = current.isSent ? (this.#next ??= this.#queue(current, options)) : current
    shared.isAwaited ||= options.isAwaited
    if (options.reason === 'asked') shared.reason = 'asked'
    if (!options.isRest) shared.isRest = false
    if (shared === current && options.reason === 'asked') current.sendNow()
    return shared.settled
  }

  /** Waits for the last request that is under way or queued; undefined if there is none. */
  join(): Promise<void> | undefined {
    const last = this.#next ?? this.#current
    if (last) last.isAwaited = true
    return last?.settled
  }

  /**
   * Sends a request now. None may be under way.
   * @throws PgflowError
   */
  run(options: FetchOptions, request: FetchRequest<Snapshot, Update>): Promise<void> {
    const fetch: Fetch<Update> = {
      ...options,
      isSent: false,
      isOvertaken: false,
      updates: this.#kept,
      earlier: new Set(),
      sendNow: () => {},
      settled: Promise.resolve(),
    }
    this.#kept = []
    this.#current = fetch
    const onSent = () => {
      fetch.isSent = true
      this.#context.onSent()
      fetch.earlier = new Set(fetch.updates)
    }
    fetch.settled = this.#send(fetch, (signal) => request(fetch, signal, onSent))
    fetch.settled.catch(ignore)
    this.#context.onStart()
    return fetch.settled
  }

  #queue(after: Fetch<Update>, options: FetchOptions) {
    const next = { ...options, settled: Promise.resolve() }
    next.settled = after.settled.catch(ignore).then(() => {
      this.#next = null
      this.#context.life.throwIfAborted()
      return this.ask(next)
    })
    next.settled.catch(ignore)
    return next
  }

  async #send(
    fetch: Fetch<Update>,
    sendRequest: (signal: AbortSignal) => Promise<Snapshot>,
  ): Promise<void> {
    const { life, onSnapshot, onFailure, explain } = this.#context
    try {
      const snapshot = await abortable([life], sendRequest)
      // Synchronous with what follows: an update in between would belong to no request.
      this.#current = null
      life.throwIfAborted()
      onSnapshot(snapshot, fetch)
    } catch (error) {
      this.#current = null
      this.#kept = fetch.updates
      const failure = explain(toPgflowError(error))
      if (!life.aborted) onFailure(failure, fetch)
      throw failure
    }
  }
}
