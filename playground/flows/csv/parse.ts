import { counted, formatNumber } from '../format.ts'
import { decimalOf, type DecimalMark } from './numbers.ts'

/** One line of data, by column name. */
export type CsvRow = {
  line: number
  /** Columns and what they hold: pairs, since Postgres does not keep the order of keys. */
  cells: [column: string, cell: string][]
  /** What stands before the decimals in this table. */
  decimal: DecimalMark
}

/** Each row is a task of its own, with a message in the queue. */
export const maxRows = 500

/** The fields of a record, and the line it begins on. */
type Numbered = {
  line: number
  fields: string[]
}

/**
 * Reads CSV with a header line: commas, semicolons or tabs, and quotes as in RFC 4180.
 * @throws Error that names the line and what is wrong with it.
 */
export function parseCsv(csv: string): CsvRow[] {
  const text = csv.replace(/^\uFEFF/, '')
  const delimiter = delimiterOf(text)
  const [header, ...records] = splitRecords(text, delimiter)
  if (!header) throw new Error('There is no data: the first line must name the columns.')
  const columns = header.fields.map((field) => field.trim())
  checkColumns(columns)
  if (records.length === 0)
    throw new Error('There is only a header: add at least one line of data.')
  if (records.length > maxRows) {
    const [rows, most] = [records.length, maxRows].map(formatNumber)
    throw new Error(`There are ${rows} rows; at most ${most} can be read at once.`)
  }
  const cells = records.flatMap(({ fields }) => fields.map((field) => field.trim()))
  const decimal = decimalOf(cells, delimiter === ';' ? ',' : '.')
  return records.map(({ line, fields }) => {
    if (fields.length !== columns.length) {
      const values = counted(fields.length, 'value')
      const named = counted(columns.length, 'column')
      throw new Error(`Line ${line} has ${values}, but the header names ${named}.`)
    }
    return {
      line,
      decimal,
      cells: columns.map((column, i) => [column, (fields[i] ?? '').trim()]),
    }
  })
}

function checkColumns(columns: readonly string[]): void {
  const unnamed = columns.indexOf('')
  if (unnamed >= 0) throw new Error(`Column ${unnamed + 1} has no name in the header.`)
  const twice = columns.find((column, index) => columns.indexOf(column) !== index)
  if (twice !== undefined) throw new Error(`The header names the column “${twice}” twice.`)
}

/** Splits into records; a record has several lines when a quoted field does. */
function splitRecords(csv: string, delimiter: string): Numbered[] {
  const plain = `[^"${delimiter}\\r\\n][^${delimiter}\\r\\n]*`
  const pattern = new RegExp(`(?:"((?:[^"]|"")*)"|(${plain})?)(${delimiter}|\\r\\n|\\r|\\n|$)`, 'y')
  const records: Numbered[] = []
  let line = 1
  let record: Numbered = { line, fields: [] }
  for (;;) {
    const match = pattern.exec(csv)
    if (!match) throw new Error(`Line ${line} has a quote that is not closed, or text after one.`)
    const [, quoted, unquoted = '', end = ''] = match
    const field = quoted === undefined ? unquoted : quoted.replaceAll('""', '"')
    record.fields.push(field)
    line += field.split(/\r\n|\r|\n/).length - 1
    if (end === delimiter) continue
    if (record.fields.some((each) => each.trim() !== '')) records.push(record)
    if (end === '') return records
    line += 1
    record = { line, fields: [] }
  }
}

/** Whichever separates the most columns in the header. */
function delimiterOf(csv: string): string {
  const header = /^[^\r\n]*/.exec(csv)?.[0].replace(/"[^"]*"/g, '') ?? ''
  const counts = [',', ';', '\t'].map((each) => [header.split(each).length, each] as const)
  return counts.reduce((best, each) => (each[0] > best[0] ? each : best))[1]
}
