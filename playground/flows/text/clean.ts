import { sentencesOf, wordsOf } from './words.ts'

/** A text ready to be counted. */
export type CleanText = {
  words: number
  sentences: number
  paragraphs: number
  /** Characters that were dropped: markup, invisible characters and surplus blanks. */
  removed: number
  text: string
}

/** Tags inside a word or a sentence; all others stand between two. */
const inlineTags = /<\/?(a|abbr|b|code|em|i|mark|small|span|strong|sub|sup|u)(\s[^<>]*)?>/gi

/**
 * Drops what is not text: HTML tags, control and zero-width characters, surplus blanks.
 * @throws Error when no word is left.
 */
export function cleanText(raw: string): CleanText {
  const text = raw
    .normalize('NFC')
    .replace(/\r\n?/g, '\n')
    .replace(inlineTags, '')
    .replace(/<\/?[a-z][^<>]*>/gi, ' ')
    .replace(/[^\P{C}\n\t]/gu, '')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
  const words = wordsOf(text).length
  if (words === 0) throw new Error('There is not a single word in this text.')
  return {
    words,
    sentences: sentencesOf(text).length,
    paragraphs: text.split(/\n{2,}/).length,
    removed: Math.max(0, raw.length - text.length),
    text,
  }
}
