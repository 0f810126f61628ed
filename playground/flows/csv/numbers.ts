/** What stands before the decimals: "1.50" or "1,50". */
export type DecimalMark = '.' | ','

/** The digits of a number, with what may group them by three: a blank, an apostrophe or `group`. */
const shapes: Record<DecimalMark, { grouped: RegExp; plain: RegExp; telling: RegExp }> = {
  '.': {
    grouped: /^[-+]?\d{1,3}([ '’\u00A0\u202F,]\d{3})+(\.\d+)?$/,
    plain: /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i,
    // Not "1.234", which may be a thousand.
    telling: /^[-+]?(\d*\.(\d{1,2}|\d{4,})|\d{1,3}(,\d{3})+\.\d+)$/,
  },
  ',': {
    grouped: /^[-+]?\d{1,3}([ '’\u00A0\u202F.]\d{3})+(,\d+)?$/,
    plain: /^[-+]?(\d+,?\d*|,\d+)(e[-+]?\d+)?$/i,
    telling: /^[-+]?(\d*,(\d{1,2}|\d{4,})|\d{1,3}(\.\d{3})+,\d+)$/,
  },
}

/**
 * Finds out how a table writes decimals: by the cells that can only be read one way, or else as is
 * usual with its delimiter.
 */
export function decimalOf(cells: readonly string[], usual: DecimalMark): DecimalMark {
  const bare = cells.map(withoutUnit)
  const count = (mark: DecimalMark) => bare.filter((cell) => shapes[mark].telling.test(cell)).length
  const [points, commas] = [count('.'), count(',')]
  if (points === commas) return usual
  return points > commas ? '.' : ','
}

/**
 * Reads "1,234.50", "1 234", "12 %" and "€ 7" as numbers, and "1.234,50" where the comma stands before
 * decimals; null for text such as "12 May" and "2026-10-01",
 * and for numbers beyond 2^53.
 */
export function readNumber(cell: string, decimal: DecimalMark): number | null {
  const bare = withoutUnit(cell)
  const { grouped, plain } = shapes[decimal]
  const isGrouped = grouped.test(bare)
  if (!isGrouped && !plain.test(bare)) return null
  const digits = isGrouped ? bare.replace(decimal === '.' ? /[^\d.+-]/g : /[^\d,+-]/g, '') : bare
  const value = Number(digits.replace(',', '.'))
  // More digits than a number can hold are a name of something.
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : null
}

function withoutUnit(cell: string): string {
  return cell.replace(/^([-+]?)\s*[$€£]\s*/, '$1').replace(/\s*[%€$£]$/, '')
}
