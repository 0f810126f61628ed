import { PgflowError } from '../errors.ts'
import { clip } from './text.ts'

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/

/** Whether a text is the id of a run, written as Postgres writes it. */
export function isRunId(text: string): boolean {
  return uuid.test(text)
}

/**
 * The id of a run as Postgres writes it; null for any value that is not a UUID. Postgres also
 * accepts capital letters, and returns small ones.
 */
export function asRunId(id: unknown): string | null {
  if (typeof id !== 'string') return null
  const small = id.toLowerCase()
  return isRunId(small) ? small : null
}

/**
 * The id of a run as Postgres writes it.
 * @throws PgflowError `invalid_input` for what is not a UUID.
 */
export function toRunId(id: unknown): string {
  const runId = asRunId(id)
  if (runId === null) throw notARunId(id)
  return runId
}

/** The error for a run id that is not a UUID. */
export function notARunId(id: unknown): PgflowError {
  const given = typeof id === 'string' ? `"${clip(id)}"` : `A value of type ${typeof id}`
  return new PgflowError('invalid_input', `${given} is not the id of a run, which is a UUID.`)
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
