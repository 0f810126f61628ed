import type { Scheduler } from '../model/scheduler.ts'
import { pollDelay, type PollState } from './poll-delay.ts'

/** What a poll timer needs from its resource. */
export interface PollTimerContext {
  scheduler: Scheduler
  /** The state of the resource, or null while it is not to be polled. */
  state: () => Omit<PollState, 'failures' | 'unchanged'> | null
  /** Called when nothing was received for long enough, or when a retry is due. */
  onDue: () => void
}

/** Schedules the requests that find lost broadcasts, and the retries of failed ones. */
export class PollTimer {
  readonly #context: PollTimerContext
  #failures = 0
  #unchanged = 0
  #receivedAt = 0
  #changedAt: number
  /** Whether anything was received since the timer was set. */
  #hasReceived = false
  #cancel = () => {}

  constructor(context: PollTimerContext) {
    this.#context = context
    this.#changedAt = context.scheduler.now()
  }

  /** Polls in a row that changed nothing. */
  get unchanged(): number {
    return this.#unchanged
  }

  get failures(): number {
    return this.#failures
  }

  /** For how long nothing has changed, in ms. */
  get stillness(): number {
    return this.#context.scheduler.now() - this.#changedAt
  }

  /** A broadcast or a response was received. */
  received(): void {
    this.#receivedAt = this.#context.scheduler.now()
    this.#hasReceived = true
  }

  /** What was received has changed something. */
  changed(): void {
    this.resetInterval()
    this.#changedAt = this.#context.scheduler.now()
  }

  /**
   * A request has succeeded.
   * @param isPoll - whether it was a poll: only polls become rarer when nothing changes.
   */
  succeeded(isNews: boolean, isPoll: boolean): void {
    this.#failures = 0
    this.received()
    if (isNews) this.changed()
    else if (isPoll) this.#unchanged += 1
  }

  /** A request failed, or its snapshot was outdated. */
  failed(): void {
    this.#failures += 1
  }

  /** Polls at the first interval again. */
  resetInterval(): void {
    this.#unchanged = 0
  }

  /** The cause of earlier failures may be gone: retries at the first interval again. */
  resetBackoff(): void {
    this.#failures = 0
    this.resetInterval()
  }

  /** Sets the timer, to `wait` in ms if given, otherwise to what the state requires. */
  schedule(wait?: number): void {
    this.stop()
    const now = this.#context.state()
    if (!now) return
    const counts = { failures: this.#failures, unchanged: this.#unchanged }
    const total = wait ?? pollDelay({ ...now, ...counts }, this.#context.scheduler.random)
    // The time without a broadcast counts, even before the timer was set.
    const countsIdleTime = now.isProbed && wait === undefined && this.#failures === 0
    this.#wait(countsIdleTime ? total - Math.min(total, this.#idleTime) : total, total)
  }

  /** For how long nothing was received, in ms. */
  get #idleTime(): number {
    return Math.max(0, this.#context.scheduler.now() - this.#receivedAt)
  }

  stop(): void {
    this.#cancel()
    this.#cancel = () => {}
  }

  /** Waits `ms`, and then until nothing was received for `total` ms. */
  #wait(ms: number, total: number): void {
    const { scheduler, onDue } = this.#context
    this.#hasReceived = false
    const due = scheduler.now() + ms
    this.#cancel = scheduler.after(ms, () => {
      // A clock that was set back says nothing about the idle time. Timers may fire a little early.
      const isSetBack = scheduler.now() < due - 100
      const idle = this.#hasReceived && !isSetBack ? this.#idleTime : total
      if (idle < total && this.#failures === 0) this.#wait(total - idle, total)
      else onDue()
    })
  }
}
