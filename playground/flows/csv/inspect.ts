import { readNumber, type DecimalMark } from './numbers.ts'
import type { CsvRow } from './parse.ts'

/** A row with its cells read: numbers as numbers, missing ones as null. */
export type InspectedRow = {
  line: number
  values: [column: string, value: number | string | null][]
}

const missing = new Set(['', '-', 'n/a', 'na', 'null', 'none', '?'])

/** Reads the cells of one row. */
export function inspectRow({ line, cells, decimal }: CsvRow): InspectedRow {
  return { line, values: cells.map(([column, cell]) => [column, readCell(cell, decimal)]) }
}

/** A number, a text, or null for what is missing; see `readNumber` for what is a number. */
export function readCell(cell: string, decimal: DecimalMark = '.'): number | string | null {
  if (missing.has(cell.toLowerCase())) return null
  return readNumber(cell, decimal) ?? cell
}
