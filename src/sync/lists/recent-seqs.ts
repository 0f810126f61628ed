import { isOutdated, type RunUpdate } from '../../model/run-list.ts'
import type { Scheduler } from '../../model/scheduler.ts'
import { outdatedFor } from '../timings.ts'

/** Of so many runs the last seq is remembered. */
const mostRuns = 1_000

/**
 * The last seq that was heard of each run: broadcasts which arrive late, and answers of a lagging
 * replica, neither bring back a run that has left its list nor take one off that has entered.
 */
export class RecentSeqs {
  readonly #scheduler: Scheduler
  readonly #heard = new Map<string, { seq: number; at: number }>()
  /** From when on nothing can have been missed. */
  #isCertainFrom = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Whether this is newer than what was heard of the run; remembers it. */
  isNew({ run_id, seq }: RunUpdate): boolean {
    if (isOutdated(seq, this.#heard.get(run_id)?.seq ?? null)) return false
    if (seq !== null) {
      this.#heard.delete(run_id)
      this.#heard.set(run_id, { seq, at: this.#scheduler.now() })
      const [oldest] = this.#heard.keys()
      if (this.#heard.size > mostRuns && oldest !== undefined) this.#heard.delete(oldest)
    }
    return true
  }

  /**
   * The seq of a run of which something was heard so lately that an answer may be older; null if
   * nothing was, or if something may have been missed since.
   */
  lately(runId: string): number | null {
    const { seq, at } = this.#heard.get(runId) ?? { seq: null, at: 0 }
    return at >= this.#isCertainFrom && at > this.#scheduler.now() - outdatedFor ? seq : null
  }

  /** The last seq that was heard of a run, however long ago; null if none is remembered. */
  last(runId: string): number | null {
    return this.#heard.get(runId)?.seq ?? null
  }

  /** Something may have been missed. */
  doubt(): void {
    this.#isCertainFrom = this.#scheduler.now()
  }

  forget(runId: string): void {
    this.#heard.delete(runId)
  }

  clear(): void {
    this.#heard.clear()
  }
}
