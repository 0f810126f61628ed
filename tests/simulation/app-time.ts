import type { Scheduler } from '../../src/model/scheduler.ts'
import type { VirtualClock } from '../support/virtual-clock.ts'
import type { Conditions } from './conditions.ts'

/**
 * Time as the app has it: its timers are late in a tab in the background and while the device
 * sleeps, and its clock can be set. What the network does is not late by that.
 */
export class AppTime implements Scheduler {
  readonly random: () => number
  readonly #clock: VirtualClock
  readonly #conditions: Conditions
  #pending = 0

  /** Called when a timer of the app fires. */
  readonly #onFire: () => void

  constructor(
    clock: VirtualClock,
    conditions: Conditions,
    random: () => number,
    onFire: () => void = () => {},
  ) {
    this.#clock = clock
    this.#conditions = conditions
    this.random = random
    this.#onFire = onFire
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#pending
  }

  readonly now = (): number => this.#clock.time + this.#conditions.clockOffset

  readonly after = (ms: number, task: () => void): (() => void) => {
    let isOver = false
    let cancel = () => {}
    this.#pending += 1
    const end = () => {
      if (isOver) return
      isOver = true
      this.#pending -= 1
      cancel()
    }
    const due = () => {
      const at = this.#conditions.timerAt(this.#clock.time)
      if (at > this.#clock.time) {
        cancel = this.#clock.after(at - this.#clock.time, due)
        return
      }
      end()
      this.#onFire()
      task()
    }
    cancel = this.#clock.after(Math.max(0, ms), due)
    return end
  }
}
