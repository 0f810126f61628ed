import { checkLength, defineCard } from './define.ts'
import review from './samples/review.txt?raw'
import letter from './samples/letter.txt?raw'

export const analyzeText = defineCard({
  slug: 'analyze_text',
  title: 'Analyse a text',
  about: 'Cleans the text, looks at it from three sides at once and writes a short report.',
  field: { label: 'Text', hint: 'Paste any English text.', isCode: false },
  samples: [
    { label: 'A review', text: review },
    { label: 'A complaint', text: letter },
  ],
  steps: {
    clean: { title: 'Clean', about: 'Drops markup and surplus blanks, then counts.' },
    keywords: { title: 'Keywords', about: 'Finds the words it uses most.' },
    sentiment: { title: 'Sentiment', about: 'Weighs words that sound good or bad.' },
    readability: { title: 'Readability', about: 'Measures sentences and syllables.' },
    report: { title: 'Report', about: 'Puts the findings into sentences.' },
  },
  check: (text) => checkLength(text, 'Type or paste a text first.'),
  toInput: (text) => ({ text }),
})
