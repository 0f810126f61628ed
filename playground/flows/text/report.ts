import { counted, formatNumber, listed } from '../format.ts'
import type { CleanText } from './clean.ts'
import type { Keywords } from './keywords.ts'
import type { Readability } from './readability.ts'
import type { Sentiment } from './sentiment.ts'

/** The findings in a few sentences. */
export type TextReport = {
  headline: string
  summary: string[]
}

/** What the report is made from. */
export type Findings = {
  clean: CleanText
  keywords: Keywords
  sentiment: Sentiment
  readability: Readability
}

/** Writes up what the other steps found. */
export function writeReport({ clean, keywords, sentiment, readability }: Findings): TextReport {
  const topics = keywords.keywords.slice(0, 3).map(({ word }) => word)
  const about = topics.length > 0 ? ` about ${listed(topics)}` : ''
  const tone = {
    positive: 'A positive',
    negative: 'A negative',
    mixed: 'A mixed',
    neutral: 'A matter-of-fact',
  }
  return {
    headline: `${tone[sentiment.mood]} text${about}.`,
    summary: [
      `${counted(clean.words, 'word')} in ${counted(clean.sentences, 'sentence')} and ${counted(clean.paragraphs, 'paragraph')}, about ${timeOf(readability.readingSeconds)} to read.`,
      `${readability.level} to read: ${formatNumber(readability.wordsPerSentence)} words a sentence, a reading ease of ${formatNumber(readability.readingEase)} out of 100.`,
      sentiment.positive.length + sentiment.negative.length === 0
        ? 'No word sounds good or bad.'
        : `${counted(sentiment.positive.length, 'expression')} sounding good, ${formatNumber(sentiment.negative.length)} sounding bad.`,
    ],
  }
}

function timeOf(seconds: number): string {
  return seconds < 60 ? counted(seconds, 'second') : counted(Math.round(seconds / 60), 'minute')
}
