import harbour from '../../flows/samples/harbour.txt?raw'
import oneLine from '../../flows/samples/one-line.txt?raw'
import { counted } from '../labels/format.ts'
import { checkLength, defineCard } from './define.ts'

export const summariseText = defineCard({
  slug: 'summarise_text',
  title: 'Shorten a text',
  about: 'Fails twice on the way, is tried again, and recovers.',
  field: { label: 'Text', hint: 'Paste any English text of some sentences.', isCode: false },
  samples: [
    { label: 'A harbour', text: harbour },
    { label: 'One line', text: oneLine },
  ],
  steps: {
    sentences: {
      title: 'Sentences',
      about: 'Splits the text.',
      inShort: ({ sentences }) => counted(sentences.length, 'sentence'),
      keys: ['words', 'sentences'],
    },
    weights: {
      title: 'Weights',
      about: 'Asks a busy service how much each sentence says: it answers the third time.',
      inShort: (weights) => `${counted(weights.length, 'sentence')} weighed`,
      keys: ['position', 'weight'],
    },
    summary: {
      title: 'Summary',
      about: 'Keeps the sentences that say the most.',
      inShort: ({ headline }) => headline,
      keys: ['headline', 'summary'],
    },
  },
  check: (text) => checkLength(text, 'Type or paste a text first.'),
  toInput: (text) => ({ text }),
})
