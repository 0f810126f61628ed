import { toRaw } from 'vue'
import { isRunId } from '../model/run-id.ts'

// State that was there before the store comes from a server or from storage: of another version, or
// of somebody else's making. What is not as this version writes it is dropped, and read again.

export type Row = Record<string, unknown>
export type Table = Record<string, Row>
export type IsGood = (row: Row, key: string) => boolean

/** Drops keys that Vue would take for its own marks; other keys may be those of plugins of Pinia. */
export function dropMarks(state: Row): void {
  for (const key of Object.keys(state)) if (isMark(key)) Reflect.deleteProperty(state, key)
}

/** Makes a table hold nothing but good rows; one that is missing becomes empty. */
export function keepGood(tables: Row, name: string, isGood: IsGood): Table {
  const table: Table = {}
  const rows = isObject(tables[name]) ? toRaw(tables[name]) : {}
  for (const [key, given] of Object.entries(rows)) {
    // A list of slugs is the only row that is an array.
    const isOfKind = Array.isArray(given) === (name === 'stepOrder')
    if (!isOfKind || !isObject(given) || hasMarks(given)) continue
    const row = toRaw(given)
    if (isGood(row, key)) table[key] = row
  }
  // A new one: Vue would take marks of its own in the old one for the table.
  tables[name] = table
  return table
}

/** Whether an object has keys that Vue would take for its own marks. */
export function hasMarks(row: Row): boolean {
  return Object.keys(row).some(isMark)
}

export function isMark(key: string): boolean {
  return key.startsWith('__')
}

/** What has ended, or cannot be read, stays so until somebody observes it. */
export function settled({ status, error: given, seq }: Row, isWhole: boolean) {
  const error = isObject(given) && isText(given.code) ? given : null
  return {
    status: status === 'closed' && (error || isWhole) ? status : 'idle',
    error,
    seq: Number.isSafeInteger(seq) ? seq : null,
  }
}

export function isRun({ run_id, flow_slug, status }: Row, key: string): boolean {
  return isRunId(key) && run_id === key && isText(flow_slug) && isText(status)
}

export function isText(value: unknown): boolean {
  return typeof value === 'string'
}

export function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText)
}

export function isObject(value: unknown): value is Row {
  return typeof value === 'object' && value !== null
}
