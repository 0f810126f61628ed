import { describe, expect, it } from 'vitest'
import { cleanText } from '../../../playground/flows/text/clean.ts'
import { findKeywords } from '../../../playground/flows/text/keywords.ts'
import { measureReadability, syllablesOf } from '../../../playground/flows/text/readability.ts'
import { writeReport } from '../../../playground/flows/text/report.ts'
import { findSentiment } from '../../../playground/flows/text/sentiment.ts'

describe('cleanText', () => {
  it('drops markup, invisible characters and surplus blanks, and counts the rest', () => {
    expect(cleanText('<p>Hello,\u200B   <b>world</b>!</p>\r\n\r\n\r\n\r\nA second part. ')).toEqual(
      {
        words: 5,
        sentences: 2,
        paragraphs: 2,
        removed: 24,
        text: 'Hello, world!\n\nA second part.',
      },
    )
  })

  it('keeps what only looks like markup', () => {
    expect(cleanText('1 < 2 and 3 > 2').text).toBe('1 < 2 and 3 > 2')
  })

  it('says that a text without words has none', () => {
    expect(() => cleanText(' 12 … <br> ')).toThrow('There is not a single word in this text.')
  })
})

describe('findKeywords', () => {
  it('counts meaningful words, the most frequent first, with their share of all words', () => {
    const { keywords } = findKeywords('The cat and the dog. The dog and the cat: a dog!')
    expect(keywords).toEqual([
      { word: 'dog', count: 3, percent: 25 },
      { word: 'cat', count: 2, percent: 16.7 },
    ])
  })

  it('finds pairs that occur more than once', () => {
    const text = 'Solar panels are cheap. Cheap solar panels sell. Panels last.'
    expect(findKeywords(text).phrases).toEqual(['solar panels'])
  })

  it('finds nothing in words that carry no meaning', () => {
    expect(findKeywords('It is what it is')).toEqual({ keywords: [], phrases: [] })
  })
})

describe('findSentiment', () => {
  it('weighs good words against bad ones', () => {
    expect(findSentiment('A lovely, lovely day. The train was late.')).toEqual({
      mood: 'positive',
      score: 0.33,
      positive: ['lovely ×2'],
      negative: ['late'],
    })
  })

  it('lets a negation turn a word around', () => {
    expect(findSentiment('This is not good.')).toMatchObject({
      mood: 'negative',
      negative: ['not … good'],
    })
    expect(findSentiment('There was no problem.').mood).toBe('positive')
  })

  it('calls a text neutral that has no such words', () => {
    expect(findSentiment('The table has four legs.')).toMatchObject({ mood: 'neutral', score: 0 })
  })
})

describe('measureReadability', () => {
  it.each([
    ['cat', 1],
    ['table', 2],
    ['walked', 1],
    ['wanted', 2],
    ['readability', 5],
    ['the', 1],
  ])('counts the syllables of %s', (word, syllables) => {
    expect(syllablesOf(word)).toBe(syllables)
  })

  it('finds short words in short sentences very easy', () => {
    expect(measureReadability('The cat sat. The dog ran off.')).toEqual({
      level: 'Very easy',
      // 206.835 − 1.015 × 3.5 − 84.6 × 1 is 118.7, of 100.
      readingEase: 100,
      wordsPerSentence: 3.5,
      syllablesPerWord: 1,
      readingSeconds: 2,
      longestSentence: 'The dog ran off.',
    })
  })

  it('finds long words in a long sentence very difficult', () => {
    const text =
      'Notwithstanding organisational considerations, interdisciplinary collaboration necessitates administrative accountability.'
    expect(measureReadability(text)).toMatchObject({ level: 'Very difficult', readingEase: 0 })
  })
})

describe('writeReport', () => {
  const write = (raw: string) => {
    const clean = cleanText(raw)
    return writeReport({
      clean,
      keywords: findKeywords(clean.text),
      sentiment: findSentiment(clean.text),
      readability: measureReadability(clean.text),
    })
  }

  it('puts the findings into sentences', () => {
    expect(write('Bees love clover. Clover has bees. Bees make wonderful honey.')).toEqual({
      headline: 'A positive text about bees, clover and love.',
      summary: [
        '10 words in 3 sentences and 1 paragraph, about 3 seconds to read.',
        expect.stringContaining('3.3 words a sentence') as string,
        '2 expressions sounding good, 0 sounding bad.',
      ],
    })
  })

  it('writes numbers as people do', () => {
    const { summary } = write('A short line. '.repeat(700))
    expect(summary[0]).toBe(
      '2,100 words in 700 sentences and 1 paragraph, about 9 minutes to read.',
    )
    expect(summary[1]).toContain('a reading ease of 100 out of 100')
  })

  it('manages without keywords and feelings', () => {
    const { headline, summary } = write('It is what it is.')
    expect(headline).toBe('A matter-of-fact text.')
    expect(summary.at(-1)).toBe('No word sounds good or bad.')
  })
})
