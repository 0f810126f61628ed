import type { Scheduler } from '../model/scheduler.ts'
import type { RunRecord } from './run-record.ts'
import { nextAction } from './script.ts'

/** Workers that play every run by the script, one action every `pace` ms. */
export class AutoPlay {
  readonly #scheduler: Scheduler
  readonly #pace: number
  readonly #timers = new Map<RunRecord, () => void>()

  constructor(scheduler: Scheduler, pace: number) {
    this.#scheduler = scheduler
    this.#pace = pace
  }

  /** Plays a run from here to its end. */
  readonly play = (record: RunRecord): void => {
    if (this.#timers.has(record) || !nextAction(record)) return
    const cancel = this.#scheduler.after(this.#pace, () => {
      this.#timers.delete(record)
      nextAction(record)?.()
      this.play(record)
    })
    this.#timers.set(record, cancel)
  }

  /** The runs that are under way stay as they are. */
  stop(): void {
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }
}
