const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })

/** A number as every sentence of a report writes it: "1,234.5", at most two decimals. */
export function formatNumber(value: number): string {
  return numbers.format(value)
}

/** "1 word", "1,200 words". */
export function counted(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** "a, b and c". */
export function listed(items: readonly string[]): string {
  const last = items.at(-1) ?? ''
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} and ${last}`
}

/** The part of a whole in percent, rounded and never over 100: "42 %". */
export function formatShare(part: number, whole: number): string {
  const percent = whole > 0 ? (part / whole) * 100 : 0
  return `${formatNumber(Math.round(Math.min(100, Math.max(0, percent))))} %`
}
