import type { CsvRow } from './parse.ts'

/** A row with its cells read: numbers as numbers, missing ones as null. */
export type InspectedRow = {
  line: number
  values: [column: string, value: number | string | null][]
}

const missing = new Set(['', '-', 'n/a', 'na', 'null', 'none', '?'])

/** Reads the cells of one row. */
export function inspectRow({ line, cells }: CsvRow): InspectedRow {
  return { line, values: cells.map(([column, cell]) => [column, readCell(cell)]) }
}

/** "1,234.50", "1 234", "12 %" and "€ 7" are numbers; "12 May" and "007a" are text. */
export function readCell(cell: string): number | string | null {
  if (missing.has(cell.toLowerCase())) return null
  const bare = cell.replace(/^([-+]?)\s*[$€£]\s*/, '$1').replace(/\s*[%€$£]$/, '')
  const isGrouped = /^[-+]?\d{1,3}([ ,]\d{3})+(\.\d+)?$/.test(bare)
  const digits = isGrouped ? bare.replace(/[ ,]/g, '') : bare
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(digits) ? Number(digits) : cell
}
