import type { RunSummary } from '../model/entities.ts'
import { isOutdated, newerSummary } from '../model/run-list.ts'

/** After so many outdated answers in a row it is the store that is wrong. */
const mostOutdated = 6

/**
 * Takes the rows of an answer as they were read, unless more is known of them already: the answer
 * comes from an outdated replica, or broadcasts have overtaken it. What is known is not trusted for
 * ever: a counter may have been reset.
 */
export class OutdatedAnswers {
  #inARow = 0

  newest(
    rows: readonly RunSummary[],
    known: (runId: string) => RunSummary | undefined,
  ): readonly RunSummary[] {
    const isOld = rows.some(({ run_id, seq }) => {
      const seen = known(run_id)?.seq ?? null
      return seq !== seen && isOutdated(seq, seen)
    })
    this.#inARow = isOld ? this.#inARow + 1 : 0
    if (this.#inARow > mostOutdated) return rows
    return rows.map((row) => newerSummary(known(row.run_id), row))
  }
}
