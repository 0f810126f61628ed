/**
 * The value that a table has for a key. Only its own: a key from outside may be the name of
 * something that every object inherits, such as `constructor`.
 */
export function ownValue<Row>(
  rows: Readonly<Partial<Record<string, Row>>>,
  key: string,
): Row | undefined {
  // Read first, so that a computation depends on the key even while it has no value.
  const row = rows[key]
  return Object.hasOwn(rows, key) ? row : undefined
}
