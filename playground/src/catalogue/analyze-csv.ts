import { checkLength, defineCard } from './define.ts'
import broken from './samples/broken.csv?raw'
import sales from './samples/sales.csv?raw'

export const analyzeCsv = defineCard({
  slug: 'analyze_csv',
  title: 'Summarise a table',
  about: 'Reads CSV, makes each row a task of its own and computes figures for every column.',
  field: {
    label: 'CSV',
    hint: 'The first line names the columns. At most 500 rows.',
    isCode: true,
  },
  samples: [
    { label: 'Coffee sales', text: sales },
    { label: 'A broken file', text: broken },
  ],
  steps: {
    rows: { title: 'Rows', about: 'Splits the table and checks that it has no gaps.' },
    inspect_rows: { title: 'Inspect rows', about: 'Reads the figures, one task for each row.' },
    statistics: { title: 'Statistics', about: 'Summarises every column.' },
    outliers: { title: 'Outliers', about: 'Looks for values far from the rest.' },
  },
  check: (text) => checkLength(text, 'Paste some lines of CSV first.'),
  toInput: (csv) => ({ csv }),
})
