import { describe, expect, it } from 'vitest'
import { weighSentences } from '../../../playground/flows/summary/busy-service.ts'
import { splitText } from '../../../playground/flows/summary/sentences.ts'
import { writeSummary } from '../../../playground/flows/summary/summary.ts'

const text =
  'Bees love clover. It rained on Monday. Clover feeds bees, and bees feed the valley. Nobody knows why.'

describe('splitText', () => {
  it('finds the sentences and counts the words', () => {
    expect(splitText('One line.\n\nAnother  line. The last.')).toEqual({
      sentences: ['One line.', 'Another line.', 'The last.'],
      words: 6,
    })
  })

  it('says that a short text needs no summary', () => {
    expect(() => splitText('One line. Another.')).toThrow('a summary needs at least 3 sentences')
    expect(() => splitText('')).toThrow('This is short enough')
  })
})

describe('the service that is busy', () => {
  it('turns two calls away and answers the third', () => {
    const { sentences } = splitText(text)
    expect(() => weighSentences(sentences, 1)).toThrow('busy (503), at call 1')
    expect(() => weighSentences(sentences, 2)).toThrow('busy (503), at call 2')
    const weights = weighSentences(sentences, 3)
    expect(weights.map(({ position }) => position)).toEqual([1, 2, 3, 4])
  })

  it('weighs what the text is about more than anything else, and finds nothing in nothing', () => {
    const weights = weighSentences(splitText(text).sentences, 3).map(({ weight }) => weight)
    expect(weights.indexOf(Math.max(...weights))).toBe(2)
    expect(weighSentences(['It is.'], 3)).toEqual([{ position: 1, weight: 0 }])
  })
})

describe('writeSummary', () => {
  it('keeps a quarter of the sentences, in the order of the text', () => {
    const split = splitText(`${text} ${text.replaceAll('Bees', 'Wasps')}`)
    const { headline, summary } = writeSummary(split, weighSentences(split.sentences, 3))
    expect(summary).toEqual([
      'Clover feeds bees, and bees feed the valley.',
      'Clover feeds bees, and bees feed the valley.',
    ])
    expect(headline).toBe('2 of 8 sentences, 44 % of the words.')
  })
})
