import type { Scheduler } from '../model/scheduler.ts'
import { doubtFirst, refusedAfter } from './timings.ts'

/** Whether a condition has lasted for `ms`. Uses a timer, so that a clock that jumps does not matter. */
export class Elapsed {
  readonly #scheduler: Scheduler
  readonly #ms: number
  readonly #onOver: () => void
  #isOver = false
  #cancel: (() => void) | null = null

  constructor(scheduler: Scheduler, ms: number, onOver: () => void) {
    this.#scheduler = scheduler
    this.#ms = ms
    this.#onOver = onOver
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** The condition holds from now on; nothing changes if it has begun already. */
  begin(): void {
    this.#cancel ??= this.#scheduler.after(this.#ms, () => {
      this.#isOver = true
      this.#onOver()
    })
  }

  /** The condition does not hold any more. */
  reset(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#isOver = false
  }
}

/** The time in which a refusal may pass: it counts only after it has stood for `refusedAfter`. */
export class RefusalWindow {
  readonly #elapsed: Elapsed
  #code: string | null = null

  constructor(scheduler: Scheduler, onOver: () => void) {
    this.#elapsed = new Elapsed(scheduler, refusedAfter, onOver)
  }

  /** Whether a refusal may still pass. A code other than before starts the time again. */
  isOpen(code: string): boolean {
    if (this.#code === code) return !this.#elapsed.isOver
    this.reset()
    this.#code = code
    this.#elapsed.begin()
    return true
  }

  /** A request was not refused. */
  reset(): void {
    this.#code = null
    this.#elapsed.reset()
  }
}

/**
 * Limits the requests that broadcasts cause: the first is sent at once, the next after a second, and
 * fewer as more follow. A sender of forged broadcasts must not make clients flood the API.
 */
export class DoubtLimiter {
  readonly #scheduler: Scheduler
  readonly #most: number
  readonly #read: () => void
  #gap = doubtFirst
  #isPending = false
  #cancel: (() => void) | null = null

  /** @param most - the longest time between two requests, in ms. */
  constructor(scheduler: Scheduler, most: number, read: () => void) {
    this.#scheduler = scheduler
    this.#most = most
    this.#read = read
  }

  /** Calls `read` now, or as soon as the limit allows it. */
  request(): void {
    if (this.#cancel) this.#isPending = true
    else this.#send()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#isPending = false
    this.#gap = doubtFirst
  }

  #send(): void {
    this.#cancel = this.#scheduler.after(this.#gap, () => {
      this.#cancel = null
      if (!this.#isPending) {
        this.#gap = doubtFirst
        return
      }
      this.#isPending = false
      this.#gap = Math.min(this.#most, this.#gap * 2)
      this.#send()
    })
    this.#read()
  }
}
