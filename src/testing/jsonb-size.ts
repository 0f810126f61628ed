/**
 * The bytes of a value as the text that Postgres makes of jsonb: with a space after each comma and
 * colon, and numbers without exponents.
 */
export function jsonbBytes(value: unknown): number {
  let more = 0
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'number') more += longer(part)
    else if (Array.isArray(part)) more += spaces(part.length, 1)
    else if (typeof part === 'object' && part !== null) more += spaces(Object.keys(part).length, 2)
    return part
  })
  return new TextEncoder().encode(text).length + more
}

/** One after each but the last, and in objects one after each name. */
function spaces(count: number, each: 1 | 2): number {
  return count === 0 ? 0 : count * each - 1
}

/** How much longer a number is when it is written out. */
function longer(number: number): number {
  const text = String(number)
  const [, mantissa = '', exponent] = /^(.+)e(.+)$/.exec(text) ?? []
  if (exponent === undefined) return 0
  const digits = mantissa.replace(/\D/g, '').length
  const power = Number(exponent)
  const writtenOut = power > 0 ? power + 1 : 1 - power + digits
  return writtenOut + (number < 0 ? 1 : 0) - text.length
}
