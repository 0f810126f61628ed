import greenhouse from '../../flows/samples/greenhouse.csv?raw'
import { counted } from '../labels/format.ts'
import { checkLength, defineCard } from './define.ts'
import broken from './samples/broken.csv?raw'
import sales from './samples/sales.csv?raw'

export const analyzeCsv = defineCard({
  slug: 'analyze_csv',
  title: 'Summarise a table',
  about: 'Reads CSV, a task for every row, and computes figures.',
  field: {
    label: 'CSV',
    hint: 'The first line names the columns. At most 500 rows.',
    isCode: true,
  },
  samples: [
    { label: 'Coffee sales', text: sales },
    { label: 'A greenhouse, 336 rows', text: greenhouse },
    { label: 'A broken file', text: broken },
  ],
  steps: {
    rows: {
      title: 'Rows',
      about: 'Splits the table and checks that every row fits the header.',
      inShort: (rows) => counted(rows.length, 'row'),
      keys: ['line'],
      internalKeys: ['decimal'],
    },
    inspect_rows: {
      title: 'Inspect rows',
      about: 'Reads the figures, one task for each row.',
      inShort: (rows) => `${counted(rows.length, 'row')} read`,
      keys: ['line'],
    },
    statistics: {
      title: 'Statistics',
      about: 'Summarises every column.',
      inShort: ({ numbers, texts }) =>
        `${counted(numbers.length, 'column')} of numbers, ${texts.length} of text`,
      keys: [
        ...['rows', 'numbers', 'texts', 'column', 'count', 'missing'],
        ...['min', 'median', 'mean', 'max', 'deviation', 'sum', 'distinct', 'mostFrequent'],
      ],
    },
    outliers: {
      title: 'Outliers',
      about: 'Looks for values far from the rest.',
      inShort: ({ verdict }) => verdict,
      keys: ['verdict', 'line', 'column', 'value', 'usual'],
    },
    report: {
      title: 'Report',
      about: 'Puts the findings into sentences.',
      inShort: ({ headline }) => headline,
      keys: ['headline', 'summary'],
    },
  },
  check: (text) => checkLength(text, 'Paste some lines of CSV first.'),
  toInput: (csv) => ({ csv }),
})
