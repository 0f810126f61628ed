import { counted, formatNumber, formatShare } from '../format.ts'
import { wordsOf } from '../text/words.ts'
import type { Weight } from './busy-service.ts'
import type { SplitText } from './sentences.ts'

/** The sentences that say the most, in the order of the text. */
export type Summary = {
  headline: string
  summary: string[]
}

/** One sentence of so many is kept. */
const oneOf = 4

/** Keeps the sentences with the greatest weight. */
export function writeSummary({ sentences, words }: SplitText, weights: readonly Weight[]): Summary {
  const count = Math.max(1, Math.round(sentences.length / oneOf))
  const kept = new Set(
    [...weights]
      .sort((one, other) => other.weight - one.weight)
      .slice(0, count)
      .map(({ position }) => position),
  )
  const summary = sentences.filter((_sentence, index) => kept.has(index + 1))
  const share = formatShare(wordsOf(summary.join(' ')).length, words)
  return {
    headline: `${formatNumber(summary.length)} of ${counted(sentences.length, 'sentence')}, ${share} of the words.`,
    summary,
  }
}
