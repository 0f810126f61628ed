import { isOutdated, type RunNews } from '../model/run-list.ts'

/**
 * What was heard last of each run, so that news which arrive late do not bring back a run that has
 * left. Forgotten after two reads of the list, so that it does not grow.
 */
export class RecentSeqs {
  #recent = new Map<string, number>()
  #older = new Map<string, number>()

  /** Whether this is newer than what was heard of the run; remembers it. */
  isNew({ run_id, seq }: RunNews): boolean {
    const heard = this.#recent.get(run_id) ?? this.#older.get(run_id) ?? null
    if (isOutdated(seq, heard)) return false
    if (seq !== null) this.#recent.set(run_id, seq)
    return true
  }

  /** The list was read. */
  age(): void {
    this.#older = this.#recent
    this.#recent = new Map()
  }

  clear(): void {
    this.#recent.clear()
    this.#older.clear()
  }
}
