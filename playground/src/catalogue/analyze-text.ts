import { counted } from '../labels/format.ts'
import { checkLength, defineCard } from './define.ts'
import review from './samples/review.txt?raw'
import letter from './samples/letter.txt?raw'

export const analyzeText = defineCard({
  slug: 'analyze_text',
  title: 'Analyse a text',
  about: 'Looks at it from three sides at once, then reports.',
  field: { label: 'Text', hint: 'Paste any English text.', isCode: false },
  samples: [
    { label: 'A review', text: review },
    { label: 'A complaint', text: letter },
  ],
  steps: {
    clean: {
      title: 'Clean',
      about: 'Drops markup and surplus blanks, then counts.',
      inShort: ({ words, sentences }) =>
        `${counted(words, 'word')} in ${counted(sentences, 'sentence')}`,
      keys: ['words', 'sentences', 'paragraphs', 'removed', 'text'],
    },
    keywords: {
      title: 'Keywords',
      about: 'Finds the words it uses most.',
      inShort: ({ keywords }) => keywords.map(({ word }) => word).join(', ') || 'none',
      keys: ['word', 'count', 'percent', 'keywords', 'phrases'],
    },
    sentiment: {
      title: 'Sentiment',
      about: 'Weighs words that sound good or bad.',
      inShort: ({ mood, score }) => `${mood}, a score of ${score}`,
      keys: ['mood', 'score', 'positive', 'negative'],
    },
    readability: {
      title: 'Readability',
      about: 'Measures sentences and syllables.',
      inShort: ({ level, readingEase }) => `${level}, ${readingEase} of 100`,
      keys: ['level', 'readingEase', 'wordsPerSentence', 'syllablesPerWord', 'readingSeconds'],
    },
    report: {
      title: 'Report',
      about: 'Puts the findings into sentences.',
      inShort: ({ headline }) => headline,
      keys: ['headline', 'summary'],
    },
  },
  check: (text) => checkLength(text, 'Type or paste a text first.'),
  toInput: (text) => ({ text }),
})
