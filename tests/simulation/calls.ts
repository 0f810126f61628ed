import { PgflowError } from '../../src/errors.ts'
import type { Violate } from './violation.ts'

/** How long a call may take, in ms: it may grow while the call is kept waiting. */
export type Bound = number | (() => number)

/** The state of a call to the library when it settles. */
interface Call {
  name: string
  askedAt: number
  /** How long it may take, in ms of a client that runs. */
  bound: Bound
  /** Since when its caller has given it up. */
  abortedAt: number | null
}

/** What calls are judged by. */
export interface CallsContext {
  now: () => number
  /** For how long the app was kept from running since then, in ms; timers may be late by it. */
  heldUpSince: (time: number) => number
  abortedBound: number
  violate: Violate
}

/**
 * Every promise that the library has given: each settles, in time, and with a `PgflowError` if so.
 */
export class Calls {
  readonly #context: CallsContext
  readonly #open = new Set<Call>()

  constructor(context: CallsContext) {
    this.#context = context
  }

  get now(): number {
    return this.#context.now()
  }

  get open(): number {
    return this.#open.size
  }

  /** The names of the calls that have not settled. */
  get names(): string[] {
    return [...this.#open].map(({ name }) => name)
  }

  /**
   * Watches a promise of the library. The returned function is called when its caller aborts.
   * @param check - what is wrong with the value that it resolved with, if anything.
   */
  expect<T>(
    name: string,
    bound: Bound,
    promise: Promise<T>,
    check: (value: T) => string | null = () => null,
    checkError: (error: PgflowError) => string | null = () => null,
  ): () => void {
    const call: Call = { name, askedAt: this.#context.now(), bound, abortedAt: null }
    this.#open.add(call)
    promise.then(
      (value) => {
        this.#open.delete(call)
        const wrong = check(value)
        if (wrong !== null) this.#context.violate('calls', `${name} resolved, but ${wrong}`)
      },
      (error: unknown) => {
        this.#open.delete(call)
        if (!(error instanceof PgflowError)) {
          return this.#context.violate('calls', `${name} was rejected with ${String(error)}`)
        }
        const wrong = checkError(error)
        if (wrong !== null) this.#context.violate('calls', `${name} was rejected, but ${wrong}`)
      },
    )
    return () => (call.abortedAt ??= this.#context.now())
  }

  /** Calls that have taken too long. */
  check(): void {
    const { now, heldUpSince, abortedBound, violate } = this.#context
    for (const call of this.#open) {
      const { name, askedAt, abortedAt } = call
      const bound = typeof call.bound === 'number' ? call.bound : call.bound()
      if (abortedAt !== null && now() - abortedAt > abortedBound) {
        this.#open.delete(call)
        violate('calls', `${name} goes on although it was given up`)
      } else if (now() - askedAt > bound + heldUpSince(askedAt)) {
        this.#open.delete(call)
        violate('calls', `${name} has not settled within ${bound} ms`)
      }
    }
  }
}
