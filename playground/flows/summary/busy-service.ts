import { isMeaningful } from '../text/keywords.ts'
import { countBy, round, wordsOf } from '../text/words.ts'

/** How much a sentence says of what the text is about: the higher, the more. */
export type Weight = {
  position: number
  weight: number
}

/** So many calls of a run are turned away. */
export const busyCalls = 2

/**
 * Stands for a service over the network that is overloaded at first. It weighs sentences by how often
 * their words occur in the text.
 * @param call - the first call of a run is 1.
 * @throws Error for the first two calls of a run.
 */
export function weighSentences(sentences: readonly string[], call: number): Weight[] {
  if (call <= busyCalls) {
    throw new Error(`The service that weighs sentences is busy (503), at call ${call}.`)
  }
  const words = sentences.map((sentence) => wordsOf(sentence).filter(isMeaningful))
  const counts = new Map(countBy(words.flat()))
  return words.map((own, index) => {
    const sum = own.reduce((total, word) => total + (counts.get(word) ?? 0), 0)
    // Long sentences hold more words; by the root of their length they do not win for that alone.
    return { position: index + 1, weight: round(sum / Math.sqrt(Math.max(1, own.length)), 2) }
  })
}
