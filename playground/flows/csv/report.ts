import { counted, formatNumber, listed } from '../format.ts'
import type { Outliers } from './outliers.ts'
import type { NumberColumn, TableStatistics } from './statistics.ts'

/** The findings of a table in a few sentences. */
export type TableReport = {
  headline: string
  summary: string[]
}

/** More columns and values than this make no report. */
const mostColumns = 6
const mostValues = 3

/** Writes up what the other steps found. */
export function writeTableReport(
  statistics: TableStatistics,
  { verdict, outliers }: Outliers,
): TableReport {
  const { rows, numbers, texts } = statistics
  const kinds = [
    numbers.length > 0 ? `${formatNumber(numbers.length)} of numbers` : '',
    texts.length > 0 ? `${formatNumber(texts.length)} of text` : '',
  ].filter((kind) => kind !== '')
  const columns = counted(numbers.length + texts.length, 'column')
  return {
    headline: `${counted(rows, 'row')} in ${columns}: ${listed(kinds)}.`,
    summary: [
      ...numbers.slice(0, mostColumns).map(describe),
      describeGaps(statistics),
      ...outliers
        .slice(0, mostValues)
        .map(
          ({ line, column, value, usual }) =>
            `Line ${formatNumber(line)}: ${column} is ${formatNumber(value)}, where ${usual} is usual.`,
        ),
      outliers.length > mostValues || outliers.length === 0 ? verdict : '',
    ].filter((sentence) => sentence !== ''),
  }
}

function describe({ column, mean, min, max, sum }: NumberColumn): string {
  const range = min === max ? '' : `, from ${formatNumber(min)} to ${formatNumber(max)}`
  return `${column}: ${formatNumber(mean)} on average${range}, ${formatNumber(sum)} in all.`
}

function describeGaps({ numbers, texts }: TableStatistics): string {
  const gaps = [...numbers, ...texts].filter(({ missing }) => missing > 0)
  if (gaps.length === 0) return 'No cell is empty.'
  const total = gaps.reduce((sum, { missing }) => sum + missing, 0)
  const where = gaps.map(({ column, missing }) => `${column} (${formatNumber(missing)})`)
  return `${counted(total, 'cell')} without a value: ${listed(where.slice(0, mostColumns))}.`
}
