import type { Scheduler } from '../../src/model/scheduler.ts'

/** A random generator that a seed determines (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Timer {
  at: number
  order: number
  task: () => void
  isCancelled: boolean
}

/** So many things do not happen at one time: something sets a timer of 0 ms again and again. */
const mostAtOnce = 20_000

/** Virtual time: nothing happens until `step` or `advance`, and then in an order that the seed determines. */
export class VirtualClock implements Scheduler {
  readonly random: () => number
  time = 0
  readonly #drain: () => Promise<void>
  readonly #timers = new TimerHeap()
  #order = 0
  #pending = 0
  #isSettled = true
  #atOnce = 0

  /** @param drain - resolves when every promise that can settle has. */
  constructor(random: () => number, drain: () => Promise<void> = () => settle()) {
    this.random = random
    this.#drain = drain
  }

  readonly now = (): number => this.time

  readonly after = (ms: number, task: () => void): (() => void) => {
    const timer = {
      at: this.time + Math.max(0, ms),
      order: this.#order++,
      task,
      isCancelled: false,
    }
    this.#timers.push(timer)
    this.#pending += 1
    return () => {
      if (!timer.isCancelled) this.#pending -= 1
      timer.isCancelled = true
    }
  }

  get pending(): number {
    return this.#pending
  }

  /** Whether everything that followed from the last step has happened. */
  get isSettled(): boolean {
    return this.#isSettled
  }

  /** When the next thing happens; Infinity when nothing will. */
  get nextAt(): number {
    return this.#first()?.at ?? Infinity
  }

  /** Lets `ms` pass, and everything happen that is due by then. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms
    await this.#drain()
    while (this.nextAt <= end) await this.step()
    this.time = end
  }

  /** Runs what is due next, and everything that follows from it; false when nothing is left. */
  async step(): Promise<boolean> {
    // What was to come in the middle may have been taken back: then all that follows happens first.
    if (!this.#isSettled && this.nextAt - this.time >= 1) await this.#drain()
    const first = this.#first()
    if (!first) return false
    this.#timers.pop()
    this.#pending -= 1
    // It has run: taking it back does nothing any more.
    first.isCancelled = true
    this.#atOnce = first.at === this.time ? this.#atOnce + 1 : 0
    if (this.#atOnce > mostAtOnce) throw new Error('time does not go on')
    this.time = first.at
    first.task()
    // What comes at the same time may come in the middle of what follows from the first.
    const isBurst = this.nextAt - first.at < 1 && this.random() < 0.3
    this.#isSettled = !isBurst
    await (isBurst ? settle(Math.floor(this.random() * 8)) : this.#drain())
    return true
  }

  #first(): Timer | undefined {
    while (this.#timers.first?.isCancelled) this.#timers.pop()
    return this.#timers.first
  }
}

/** Timers, the soonest first; of those that are due together, the one that was set first. */
class TimerHeap {
  readonly #timers: Timer[] = []

  get first(): Timer | undefined {
    return this.#timers[0]
  }

  push(timer: Timer): void {
    let index = this.#timers.push(timer) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#isSooner(index, parent)) return
      this.#swap(index, parent)
      index = parent
    }
  }

  pop(): void {
    const last = this.#timers.pop()
    if (!last || this.#timers.length === 0) return
    this.#timers[0] = last
    let index = 0
    for (;;) {
      let soonest = index
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (this.#isSooner(child, soonest)) soonest = child
      }
      if (soonest === index) return
      this.#swap(index, soonest)
      index = soonest
    }
  }

  #isSooner(a: number, b: number): boolean {
    const [one, other] = [this.#timers[a], this.#timers[b]]
    if (!one || !other) return false
    return one.at < other.at || (one.at === other.at && one.order < other.order)
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#timers[a], this.#timers[b]]
    if (!one || !other) return
    this.#timers[a] = other
    this.#timers[b] = one
  }
}

/** Lets every promise that can settle within so many turns do so. */
export async function settle(turns = 24): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
}

/** Resolves when every promise that can settle has, however long the chain. */
export function settleAll(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
