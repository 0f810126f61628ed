import { counted, formatNumber } from '../format.ts'
import type { InspectedRow } from './inspect.ts'
import { quantile, type TableStatistics } from './statistics.ts'

/** Values that lie far away from the rest of their column. */
export type Outliers = {
  verdict: string
  outliers: { line: number; column: string; value: number; usual: string }[]
}

/** Fewer values than this have no usual range to speak of. */
const fewest = 5

/** Tukey's fences: further than one and a half interquartile ranges beyond the quartiles. */
export function findOutliers(
  rows: readonly InspectedRow[],
  { numbers }: TableStatistics,
): Outliers {
  const outliers = numbers.flatMap(({ column }) => {
    const figures = rows.flatMap(({ line, values }) => {
      const value = values.find(([name]) => name === column)?.[1]
      return typeof value === 'number' ? [{ line, column, value }] : []
    })
    if (figures.length < fewest) return []
    const sorted = figures.map(({ value }) => value).sort((a, b) => a - b)
    const [low, high] = [quantile(sorted, 0.25), quantile(sorted, 0.75)]
    const reach = 1.5 * (high - low)
    const usual = `${formatNumber(low - reach)} to ${formatNumber(high + reach)}`
    return figures
      .filter(({ value }) => value < low - reach || value > high + reach)
      .map((figure) => ({ ...figure, usual }))
  })
  const found = counted(outliers.length, 'unusual value')
  return { verdict: outliers.length === 0 ? 'Nothing stands out.' : `Look at ${found}.`, outliers }
}
