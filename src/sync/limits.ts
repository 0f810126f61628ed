import type { Scheduler } from '../model/scheduler.ts'
import { doubtFirst, refusedAfter } from './timings.ts'

/** Whether something has lasted for so long. By a timer: no jump of a clock makes it early. */
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

  /** It begins, unless it has begun. */
  begin(): void {
    this.#cancel ??= this.#scheduler.after(this.#ms, () => {
      this.#isOver = true
      this.#onOver()
    })
  }

  /** It does not last any more. */
  reset(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#isOver = false
  }
}

/** How long the same refusal has stood: until then it is doubted. */
export class RefusalWindow {
  readonly #elapsed: Elapsed
  #code: string | null = null

  constructor(scheduler: Scheduler, onOver: () => void) {
    this.#elapsed = new Elapsed(scheduler, refusedAfter, onOver)
  }

  /** Whether a refusal is still to be doubted; begins anew when it is another one than before. */
  isOpen(code: string): boolean {
    if (this.#code === code) return !this.#elapsed.isOver
    this.reset()
    this.#code = code
    this.#elapsed.begin()
    return true
  }

  /** It was answered. */
  reset(): void {
    this.#code = null
    this.#elapsed.reset()
  }
}

/**
 * Lets reads for doubt through: the first at once, then one a second, and fewer while doubts go on.
 * Whoever may send on a channel must not make its listeners flood the API.
 */
export class DoubtLimiter {
  readonly #scheduler: Scheduler
  readonly #most: number
  readonly #read: () => void
  #gap = doubtFirst
  #isPending = false
  #cancel: (() => void) | null = null

  /** @param most - the longest time between two reads while doubts go on, in ms. */
  constructor(scheduler: Scheduler, most: number, read: () => void) {
    this.#scheduler = scheduler
    this.#most = most
    this.#read = read
  }

  /** Reads now, or as soon as another read is allowed. */
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
