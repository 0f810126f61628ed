import { sentencesOf, wordsOf } from '../text/words.ts'

/** A text in sentences. */
export type SplitText = {
  sentences: string[]
  words: number
}

/** Fewer sentences than this need no summary. */
export const fewest = 3

/**
 * Splits a text into sentences.
 * @throws Error when there are too few to choose from.
 */
export function splitText(text: string): SplitText {
  const sentences = sentencesOf(text).map((sentence) => sentence.replace(/\s+/g, ' '))
  if (sentences.length < fewest) {
    throw new Error(`This is short enough: a summary needs at least ${fewest} sentences.`)
  }
  return { sentences, words: wordsOf(text).length }
}
