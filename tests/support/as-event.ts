import { parseEvent, type Parsed, type RunEvent } from '../../src/model/wire.ts'

const anyId = '00000000-0000-4000-8000-000000000000'

/**
 * Parses a broadcast of a run that a test calls as it likes, such as `r`: on the wire only UUIDs are
 * ids of runs.
 */
export function asEvent(name: string, payload: Record<string, unknown>): Parsed<RunEvent> {
  const { run_id } = payload
  if (typeof run_id !== 'string') return parseEvent(name, payload)
  const parsed = parseEvent(name, { ...payload, run_id: anyId })
  return parsed.ok ? { ok: true, value: { ...parsed.value, run_id } } : parsed
}
