/** With sorted keys, and each time named by its place among all times. */
export function comparable(value: unknown): unknown {
  const times = new Set<string>()
  const isTime = (text: unknown) =>
    typeof text === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/.test(text)
  const sorted = (_key: string, part: unknown): unknown => {
    if (isTime(part)) times.add(String(part))
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  const text = JSON.stringify(value, sorted)
  const places = new Map([...times].sort().map((time, index) => [time, `time ${index}`]))
  return JSON.parse(text, (_key, part: unknown) =>
    isTime(part) ? places.get(String(part)) : part,
  ) as unknown
}
