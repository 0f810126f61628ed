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
}

/** Virtual time: nothing happens until `step` or `advance`, and then in an order that the seed determines. */
export class VirtualClock implements Scheduler {
  readonly random: () => number
  time = 0
  #order = 0
  #timers: Timer[] = []

  constructor(random: () => number) {
    this.random = random
  }

  readonly now = (): number => this.time

  readonly after = (ms: number, task: () => void): (() => void) => {
    const timer = { at: this.time + ms, order: this.#order++, task }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  get pending(): number {
    return this.#timers.length
  }

  /** Lets `ms` pass, and everything happen that is due by then. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms
    await settle()
    while (this.#timers.some((timer) => timer.at <= end)) await this.step()
    this.time = end
  }

  /** Runs what is due next, and everything that follows from it; false when nothing is left. */
  async step(): Promise<boolean> {
    const [first, ...rest] = this.#timers.sort((a, b) => a.at - b.at || a.order - b.order)
    if (!first) return false
    this.#timers = rest
    this.time = first.at
    first.task()
    // What comes at the same time may come in the middle of what follows from the first.
    const isBurst = (rest[0]?.at ?? Infinity) - first.at < 1 && this.random() < 0.3
    await settle(isBurst ? Math.floor(this.random() * 8) : undefined)
    return true
  }
}

/** Lets every promise that can settle do so. */
export async function settle(turns = 24): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
}
