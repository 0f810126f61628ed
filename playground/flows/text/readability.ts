import { round, sentencesOf, wordsOf } from './words.ts'

/** How easily a text reads. */
export type Readability = {
  level: string
  /** Flesch reading ease for English, kept between 0, very hard, and 100, very easy. */
  readingEase: number
  wordsPerSentence: number
  syllablesPerWord: number
  readingSeconds: number
  longestSentence: string
}

const wordsPerMinute = 230

/** The names Rudolf Flesch gave to the bands of his score. */
const levels: readonly [from: number, level: string][] = [
  [90, 'Very easy'],
  [80, 'Easy'],
  [70, 'Fairly easy'],
  [60, 'Plain English'],
  [50, 'Fairly difficult'],
  [30, 'Difficult'],
]

/** Measures sentences and syllables. The text must hold at least one word. */
export function measureReadability(text: string): Readability {
  const words = wordsOf(text)
  const sentences = sentencesOf(text)
  const syllables = words.reduce((sum, word) => sum + syllablesOf(word), 0)
  const wordsPerSentence = words.length / sentences.length
  const syllablesPerWord = syllables / words.length
  // The formula goes past 100 for very short words, and below 0 for very long ones.
  const flesch = 206.835 - 1.015 * wordsPerSentence - 84.6 * syllablesPerWord
  const readingEase = Math.min(100, Math.max(0, flesch))
  const longestSentence = sentences.reduce((longest, sentence) =>
    wordsOf(sentence).length > wordsOf(longest).length ? sentence : longest,
  )
  return {
    level: levels.find(([from]) => readingEase >= from)?.[1] ?? 'Very difficult',
    readingEase: round(readingEase),
    wordsPerSentence: round(wordsPerSentence),
    syllablesPerWord: round(syllablesPerWord, 2),
    readingSeconds: Math.max(1, Math.round((words.length / wordsPerMinute) * 60)),
    longestSentence,
  }
}

/** Counts groups of vowels; a silent e at the end does not make a syllable. */
export function syllablesOf(word: string): number {
  const spoken = word
    .toLowerCase()
    .replace(/[^a-z]/g, '')
    .replace(/(?<=[^aeiouyl])e$|(?<=[aeiouy]l)e$/, '')
    .replace(/(?<=[^aeioutd])ed$/, 'd')
  return Math.max(1, spoken.match(/[aeiouy]+/g)?.length ?? 0)
}
