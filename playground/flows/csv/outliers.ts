import { round } from '../text/words.ts'
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
    const sorted = rows
      .map(({ values }) => values[column])
      .filter((value) => typeof value === 'number')
      .sort((a, b) => a - b)
    if (sorted.length < fewest) return []
    const [low, high] = [quantile(sorted, 0.25), quantile(sorted, 0.75)]
    const reach = 1.5 * (high - low)
    return rows.flatMap(({ line, values }) => {
      const value = values[column]
      const isUsual = typeof value !== 'number' || (value >= low - reach && value <= high + reach)
      const usual = `${round(low - reach, 2)} to ${round(high + reach, 2)}`
      return isUsual ? [] : [{ line, column, value, usual }]
    })
  })
  const found = `${outliers.length} unusual ${outliers.length === 1 ? 'value' : 'values'}`
  return { verdict: outliers.length === 0 ? 'Nothing stands out.' : `Look at ${found}.`, outliers }
}
