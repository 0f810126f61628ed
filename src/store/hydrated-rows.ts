import { toRaw } from 'vue'
import { isRunId } from '../model/run-id.ts'

// State that is there before the store comes from a server or from storage: perhaps of another
// version, or forged. Rows that do not have the form of this version are dropped and read again.

export type GivenRow = Record<string, unknown>
export type GivenTable = Record<string, GivenRow>
export type IsGood = (row: GivenRow, key: string) => boolean

/** Drops keys that Vue takes for its own marks. Other keys may belong to plugins of Pinia. */
export function dropMarks(state: GivenRow): void {
  for (const key of Object.keys(state)) if (isMark(key)) Reflect.deleteProperty(state, key)
}

/** Drops the invalid rows of a table. A missing table becomes empty. */
export function keepGood(tables: GivenRow, name: string, isGood: IsGood): GivenTable {
  const table: GivenTable = {}
  const rows = isObject(tables[name]) ? toRaw(tables[name]) : {}
  for (const [key, given] of Object.entries(rows)) {
    // Lists of slugs are the only rows that are arrays.
    const isOfKind = Array.isArray(given) === (name === 'stepOrder')
    if (!isOfKind || !isObject(given) || hasMarks(given)) continue
    const row = toRaw(given)
    if (isGood(row, key)) table[key] = row
  }
  // A new object: Vue may have marked the old one.
  tables[name] = table
  return table
}

/** Whether an object has keys that Vue takes for its own marks. */
export function hasMarks(row: GivenRow): boolean {
  return Object.keys(row).some(isMark)
}

export function isMark(key: string): boolean {
  return key.startsWith('__')
}

/** The connection to begin with: ended and refused runs stay closed, all others are idle. */
export function initialConnection({ status, error: given, seq }: GivenRow, isWhole: boolean) {
  const error = isObject(given) && isText(given.code) ? given : null
  return {
    status: status === 'closed' && (error || isWhole) ? status : 'idle',
    error,
    seq: Number.isSafeInteger(seq) ? seq : null,
  }
}

export function isRun({ run_id, flow_slug, status }: GivenRow, key: string): boolean {
  return isRunId(key) && run_id === key && isText(flow_slug) && isText(status)
}

export function isText(value: unknown): boolean {
  return typeof value === 'string'
}

export function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText)
}

export function isObject(value: unknown): value is GivenRow {
  return typeof value === 'object' && value !== null
}
