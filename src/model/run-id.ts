const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/** Whether a text can be the id of a run: Postgres takes nothing but UUIDs. */
export function isRunId(text: string): boolean {
  return uuid.test(text)
}

/** The id as Postgres writes it: it takes capitals too, and answers in small letters. */
export function toRunId(text: string): string {
  return text.toLowerCase()
}

/** A new random id. `crypto.randomUUID` does not exist on pages without HTTPS; this works there. */
export function createRunId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}
