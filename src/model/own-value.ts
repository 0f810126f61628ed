/**
 * What a table holds under a key. Only its own: a text from outside may be called as something that
 * every object inherits, such as `constructor`.
 */
export function ownValue<Row>(
  rows: Readonly<Partial<Record<string, Row>>>,
  key: string,
): Row | undefined {
  // Read first: so that whoever renders depends on the key also while it is not there.
  const row = rows[key]
  return Object.hasOwn(rows, key) ? row : undefined
}
