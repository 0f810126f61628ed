import { toPgflowError, type PgflowError } from '../errors.ts'
import { abortable } from './abort.ts'

/** Why something is read: it decides how long the read waits for others. */
export type FetchReason = 'start' | 'asked' | 'joined' | 'doubt' | 'poll'

/** What is asked for. */
export interface FetchOptions {
  reason: FetchReason
  /** Whether a caller waits for it, and will be told of a failure. */
  isAwaited: boolean
  /** Whether only what is missing at the end of a list is asked for. */
  isRest: boolean
}

/** A request, and what arrived since it was made. */
export interface Fetch<Update> extends FetchOptions {
  /** Not sent yet: later callers may share it. */
  isSent: boolean
  /** Something was missed that no update tells: the answer may be older. */
  isOvertaken: boolean
  updates: Update[]
  /** Those that had come when it was sent: the answer has them, unless it is outdated. */
  earlier: ReadonlySet<Update>
  /** Sends it now, if it waits for others. */
  sendNow: () => void
  settled: Promise<void>
}

/** Sends a request; `onSent` is to be called when it goes out. */
export type FetchRequest<Answer, Update> = (
  fetch: Fetch<Update>,
  signal: AbortSignal,
  onSent: () => void,
) => Promise<Answer>

/** What a fetcher needs of the resource that it reads. */
export interface FetcherContext<Answer, Update> {
  /** Ends every request when it fires. */
  life: AbortSignal
  request: FetchRequest<Answer, Update>
  onStart: () => void
  /** It goes out. */
  onSent: () => void
  /** The answer; what it throws fails the request. */
  onAnswer: (answer: Answer, fetch: Fetch<Update>) => void
  onFailure: (error: PgflowError, fetch: Fetch<Update>) => void
  /** Adds what is known about a failure. */
  explain: (error: PgflowError) => PgflowError
}

/** How many updates are kept for the next answer; a seq tells when one is missing. */
const mostKept = 1_000
const ignore = () => undefined

/** The requests of one resource: one at a time, and at most one after it for whatever is asked meanwhile. */
export class Fetcher<Answer, Update> {
  readonly #context: FetcherContext<Answer, Update>
  #current: Fetch<Update> | null = null
  #next: (FetchOptions & { settled: Promise<void> }) | null = null
  /** Updates that no answer has been merged with yet. */
  #kept: Update[] = []

  constructor(context: FetcherContext<Answer, Update>) {
    this.#context = context
  }

  get current(): Fetch<Update> | null {
    return this.#current
  }

  /** Whether another request follows the current one anyway. */
  get hasNext(): boolean {
    return this.#next !== null
  }

  /** Whether a caller waits. */
  get isAwaited(): boolean {
    return (this.#current?.isAwaited ?? false) || (this.#next?.isAwaited ?? false)
  }

  /**
   * Whether updates are to be kept. Also after a read that failed: without what came later, what
   * came while it was under way would be applied as if nothing had followed it.
   */
  get isKeeping(): boolean {
    return this.#current !== null || this.#kept.length > 0
  }

  /** Keeps an update for the next answer, which may be older. */
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
   * Resolves when the answer to a request that was sent after this call is merged.
   * @throws PgflowError
   */
  ask(options: FetchOptions): Promise<void> {
    const current = this.#current
    if (!current) return this.run(options, this.#context.request)
    const shared = current.isSent ? (this.#next ??= this.#queue(current, options)) : current
    shared.isAwaited ||= options.isAwaited
    if (!options.isRest) shared.isRest = false
    if (shared === current && options.reason === 'asked') current.sendNow()
    return shared.settled
  }

  /** Waits for what is asked for already, if anything is. */
  join(): Promise<void> | undefined {
    const last = this.#next ?? this.#current
    if (last) last.isAwaited = true
    return last?.settled
  }

  /**
   * Sends a request now; there must be none under way.
   * @throws PgflowError
   */
  run(options: FetchOptions, request: FetchRequest<Answer, Update>): Promise<void> {
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
    fetch.settled = this.#settle(fetch, (signal) => request(fetch, signal, onSent))
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

  async #settle(
    fetch: Fetch<Update>,
    answerOf: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<void> {
    const { life, onAnswer, onFailure, explain } = this.#context
    try {
      const answer = await abortable([life], answerOf)
      // In one turn with what follows: an update in between would belong to no request.
      this.#current = null
      life.throwIfAborted()
      onAnswer(answer, fetch)
    } catch (error) {
      this.#current = null
      this.#kept = fetch.updates
      const failure = explain(toPgflowError(error))
      if (!life.aborted) onFailure(failure, fetch)
      throw failure
    }
  }
}
