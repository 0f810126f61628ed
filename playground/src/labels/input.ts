import type { Json } from 'pinia-pgflow'

/** The text that a run was given, whatever its flow calls it. */
export function givenText(input: Json): string | undefined {
  if (typeof input === 'string') return input
  const values = typeof input === 'object' && input !== null ? Object.values(input) : []
  return values.find((value) => typeof value === 'string')
}
