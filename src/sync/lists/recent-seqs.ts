import { isOutdated, type RunUpdate } from '../../model/run-list.ts'
import type { Scheduler } from '../../model/scheduler.ts'
import { outdatedFor } from '../timings.ts'

/** The number of runs of which the last seq is kept. */
const mostRuns = 1_000

/**
 * The last seq received of each run. With it, neither late broadcasts nor snapshots of a lagging
 * replica bring back a run that has left a list, or remove one that has entered.
 */
export class RecentSeqs {
  readonly #scheduler: Scheduler
  readonly #seqs = new Map<string, { seq: number; at: number; isDoubtful: boolean }>()

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Whether an update is newer than the last one of its run; keeps its seq. */
  isNew({ run_id, seq }: RunUpdate): boolean {
    if (isOutdated(seq, this.#seqs.get(run_id)?.seq ?? null)) return false
    if (seq !== null) {
      this.#seqs.delete(run_id)
      this.#seqs.set(run_id, { seq, at: this.#scheduler.now(), isDoubtful: false })
      const [oldest] = this.#seqs.keys()
      if (this.#seqs.size > mostRuns && oldest !== undefined) this.#seqs.delete(oldest)
    }
    return true
  }

  /**
   * The last seq of a run, if it is so recent that a snapshot may be older; null if it is not, or if
   * something may have been missed since.
   */
  lately(runId: string): number | null {
    const last = this.#seqs.get(runId)
    if (!last || last.isDoubtful) return null
    return last.at > this.#scheduler.now() - outdatedFor ? last.seq : null
  }

  /** The last seq received of a run, however long ago; null if none is kept. */
  last(runId: string): number | null {
    return this.#seqs.get(runId)?.seq ?? null
  }

  /** Something may have been missed. */
  doubt(): void {
    // Not by the time: a clock that is set back would doubt what comes after it, too.
    for (const last of this.#seqs.values()) last.isDoubtful = true
  }

  forget(runId: string): void {
    this.#seqs.delete(runId)
  }

  clear(): void {
    this.#seqs.clear()
  }
}
