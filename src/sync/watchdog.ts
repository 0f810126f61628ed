import type { Scheduler } from '../model/scheduler.ts'
import { patience } from './patience.ts'

/** What the watchdog of a run needs to know. */
export interface WatchdogContext {
  scheduler: Scheduler
  /** Whether there is anything to watch: the run is followed, and nothing is being asked. */
  isWanted: () => boolean
  /** Whether broadcasts are heard. */
  isLive: () => boolean
  /** Called when it has been silent for too long, or after a failure. */
  ask: () => void
}

/** Does not trust silence: decides when a run is asked for although nothing says it has changed. */
export class Watchdog {
  readonly #context: WatchdogContext
  /** Reads that failed in a row. */
  #failures = 0
  /** Reads in a row that told nothing new. */
  #unchanged = 0
  #lastSign = 0
  #lastChange: number
  #cancel = () => {}

  constructor(context: WatchdogContext) {
    this.#context = context
    this.#lastChange = context.scheduler.now()
  }

  /** A broadcast or a snapshot came. */
  sign(): void {
    this.#lastSign = this.#context.scheduler.now()
  }

  /** What came told something new. */
  change(): void {
    this.#unchanged = 0
    this.#lastChange = this.#context.scheduler.now()
  }

  /** A read succeeded. */
  succeed(hasChanged: boolean): void {
    this.#failures = 0
    this.sign()
    if (hasChanged) this.change()
    else this.#unchanged += 1
  }

  /** A read failed. */
  fail(): void {
    this.#failures += 1
  }

  /** Something is different now: what was learned about how often to ask is void. */
  hurry(): void {
    this.#unchanged = 0
  }

  /** Everything may be different now, also what failed. */
  forgive(): void {
    this.#failures = 0
    this.hurry()
  }

  /** For how long nothing has changed, in ms. */
  get stillness(): number {
    return this.#context.scheduler.now() - this.#lastChange
  }

  /** Starts waiting, or waits anew. */
  schedule(wait?: number): void {
    this.stop()
    const { scheduler, isWanted, isLive, ask } = this.#context
    if (!isWanted()) return
    const silence = { failures: this.#failures, isLive: isLive(), unchanged: this.#unchanged }
    const total = wait ?? patience(silence, scheduler.random)
    this.#cancel = scheduler.after(total, () => {
      const left = this.#failures > 0 ? 0 : this.#lastSign + total - scheduler.now()
      if (left > 0) this.schedule(left)
      else ask()
    })
  }

  /** Waits no more. */
  stop(): void {
    this.#cancel()
  }
}
