import { isOutdated, type RunUpdate } from '../../model/run-list.ts'

/** Of so many runs the last seq is remembered. */
const mostRuns = 1_000

/**
 * The last seq that was heard of each run, so that broadcasts which arrive late do not bring back a
 * run that has left its list.
 */
export class RecentSeqs {
  readonly #seqs = new Map<string, number>()

  /** Whether this is newer than what was heard of the run; remembers it. */
  isNew({ run_id, seq }: RunUpdate): boolean {
    const heard = this.#seqs.get(run_id) ?? null
    if (isOutdated(seq, heard)) return false
    if (seq !== null) {
      this.#seqs.delete(run_id)
      this.#seqs.set(run_id, seq)
      const [oldest] = this.#seqs.keys()
      if (this.#seqs.size > mostRuns && oldest !== undefined) this.#seqs.delete(oldest)
    }
    return true
  }

  forget(runId: string): void {
    this.#seqs.delete(runId)
  }

  clear(): void {
    this.#seqs.clear()
  }
}
