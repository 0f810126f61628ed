import { formatNumber } from '../format.ts'
import { countBy, round } from '../text/words.ts'
import type { InspectedRow } from './inspect.ts'

/** A column of numbers. */
export type NumberColumn = {
  column: string
  count: number
  missing: number
  min: number
  median: number
  mean: number
  max: number
  deviation: number
  sum: number
}

/** A column of anything else. */
export type TextColumn = {
  column: string
  count: number
  missing: number
  distinct: number
  mostFrequent: string
}

/** What a table holds, column by column. */
export type TableStatistics = {
  rows: number
  numbers: NumberColumn[]
  texts: TextColumn[]
}

/** Summarises every column; a column is one of numbers when each cell that is filled is one. */
export function summarise(rows: readonly InspectedRow[]): TableStatistics {
  const numbers: NumberColumn[] = []
  const texts: TextColumn[] = []
  for (const [index, [column]] of (rows[0]?.values ?? []).entries()) {
    const filled = rows.map(({ values }) => values[index]?.[1] ?? null).filter((v) => v !== null)
    const gaps = rows.length - filled.length
    const figures = filled.filter((value) => typeof value === 'number')
    if (filled.length > 0 && figures.length === filled.length) {
      numbers.push(numberColumn(column, figures, gaps))
    } else {
      texts.push(textColumn(column, filled.map(String), gaps))
    }
  }
  return { rows: rows.length, numbers, texts }
}

function numberColumn(column: string, figures: readonly number[], missing: number): NumberColumn {
  const sorted = figures.toSorted((a, b) => a - b)
  const sum = figures.reduce((total, value) => total + value, 0)
  const mean = sum / figures.length
  const squares = figures.reduce((total, value) => total + (value - mean) ** 2, 0)
  return {
    column,
    count: figures.length,
    missing,
    min: quantile(sorted, 0),
    median: round(quantile(sorted, 0.5), 2),
    mean: round(mean, 2),
    max: quantile(sorted, 1),
    deviation: figures.length > 1 ? round(Math.sqrt(squares / (figures.length - 1)), 2) : 0,
    sum: round(sum, 2),
  }
}

function textColumn(column: string, values: readonly string[], missing: number): TextColumn {
  const counts = countBy(values)
  const [top] = counts
  return {
    column,
    count: values.length,
    missing,
    distinct: counts.length,
    mostFrequent: top ? `${top[0]} (${formatNumber(top[1])}×)` : '',
  }
}

/** The value below which this part of the sorted values lies, between two where it falls there. */
export function quantile(sorted: readonly number[], part: number): number {
  const position = (sorted.length - 1) * part
  const below = sorted[Math.floor(position)] ?? 0
  const above = sorted[Math.ceil(position)] ?? below
  return below + (above - below) * (position - Math.floor(position))
}
