import type { Scheduler } from '../model/scheduler.ts'
import { pollDelay, type PollState } from './poll-delay.ts'

/** What a poll timer needs of its resource. */
export interface PollTimerContext {
  scheduler: Scheduler
  /** The state of the resource, or null while nothing is to be polled. */
  state: () => Omit<PollState, 'failures' | 'unchanged'> | null
  /** Called when nothing was heard for long enough, or it is time to try again. */
  onDue: () => void
}

/** Schedules the requests that catch lost broadcasts, and those that repeat failed ones. */
export class PollTimer {
  readonly #context: PollTimerContext
  #failures = 0
  #unchanged = 0
  #heardAt = 0
  #changedAt: number
  /** Whether anything was heard since the timer was set. */
  #hasHeard = false
  #cancel = () => {}

  constructor(context: PollTimerContext) {
    this.#context = context
    this.#changedAt = context.scheduler.now()
  }

  /** Answers in a row without news. */
  get unchanged(): number {
    return this.#unchanged
  }

  get failures(): number {
    return this.#failures
  }

  /** For how long there was no news, in ms. */
  get stillness(): number {
    return this.#context.scheduler.now() - this.#changedAt
  }

  /** A broadcast or an answer has come. */
  heard(): void {
    this.#heardAt = this.#context.scheduler.now()
    this.#hasHeard = true
  }

  /** What came was news. */
  changed(): void {
    this.resetInterval()
    this.#changedAt = this.#context.scheduler.now()
  }

  /**
   * A request was answered.
   * @param isPoll - whether it was a poll: only those become rarer when nothing is new.
   */
  succeeded(isNews: boolean, isPoll: boolean): void {
    this.#failures = 0
    this.heard()
    if (isNews) this.changed()
    else if (isPoll) this.#unchanged += 1
  }

  /** A request failed, or its answer was outdated. */
  failed(): void {
    this.#failures += 1
  }

  /** What was learned about how often to ask is void. */
  resetInterval(): void {
    this.#unchanged = 0
  }

  /** Failures of before may be over, too. */
  resetBackoff(): void {
    this.#failures = 0
    this.resetInterval()
  }

  /** Sets the timer anew; `wait` in ms if not as long as the state wants it. */
  schedule(wait?: number): void {
    this.stop()
    const now = this.#context.state()
    if (!now) return
    const counts = { failures: this.#failures, unchanged: this.#unchanged }
    const total = wait ?? pollDelay({ ...now, ...counts }, this.#context.scheduler.random)
    // What was silent before the timer was stopped counts, too.
    const isSilent = now.isProbed && wait === undefined && this.#failures === 0
    this.#wait(isSilent ? total - Math.min(total, this.#quiet) : total, total)
  }

  /** For how long nothing was heard, in ms. */
  get #quiet(): number {
    return Math.max(0, this.#context.scheduler.now() - this.#heardAt)
  }

  stop(): void {
    this.#cancel()
    this.#cancel = () => {}
  }

  /** Waits `ms`, and on until nothing was heard for `total` ms. */
  #wait(ms: number, total: number): void {
    const { scheduler, onDue } = this.#context
    this.#hasHeard = false
    this.#cancel = scheduler.after(ms, () => {
      // Not by the clock alone: it may have been set back.
      const quiet = this.#hasHeard ? this.#quiet : total
      if (quiet < total && this.#failures === 0) this.#wait(total - quiet, total)
      else onDue()
    })
  }
}
