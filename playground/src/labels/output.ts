import type { Json } from 'pinia-pgflow'
import { formatNumber } from './format.ts'

/** A value without parts. */
export type Scalar = string | number | boolean | null

/** A list of rows that share their columns. */
export interface Table {
  columns: string[]
  rows: Record<string, Scalar>[]
}

/** Whether a value has no parts. */
export function isScalar(value: Json | undefined): value is Scalar {
  return typeof value !== 'object' || value === null
}

/** Whether a value is an object, not a list. */
export function isObject(value: Json | undefined): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A single value as people write it. */
export function formatScalar(value: Scalar): string {
  if (value === null || value === '') return '–'
  if (typeof value === 'number') return formatNumber(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return value
}

/** Whether a text is a whole web page, to be shown as one. */
export function isHtmlPage(text: string): boolean {
  return /^\s*(<!doctype html|<html[\s>])/i.test(text)
}

/** The keys of an object, those that are named in `order` first and in that order. */
export function sortKeys(keys: readonly string[], order: readonly string[]): string[] {
  const rank = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length)
  return keys.toSorted((a, b) => rank(a) - rank(b))
}

/** An object, or each object of a list, without some of its keys. */
export function withoutKeys(value: Json, keys: readonly string[]): Json {
  if (keys.length === 0) return value
  if (Array.isArray(value)) return value.map((item) => (isObject(item) ? omit(item, keys) : item))
  return isObject(value) ? omit(value, keys) : value
}

function omit(value: Record<string, Json>, keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)))
}

/** A list of objects as a table, what is inside them as further columns; null if it is not one. */
export function toTable(value: Json, order: readonly string[]): Table | null {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isObject)) return null
  const rows = value.map((row) => flatten(row, order)).filter((row) => row !== null)
  if (rows.length < value.length) return null
  return { columns: [...new Set(rows.flatMap((row) => Object.keys(row)))], rows }
}

function flatten(row: Record<string, Json>, order: readonly string[]): Table['rows'][0] | null {
  const cells: Record<string, Scalar> = {}
  for (const key of sortKeys(Object.keys(row), order)) {
    const value = row[key] ?? null
    const inner = isScalar(value) ? [[key, value]] : toPairs(value)
    for (const [column, cell] of inner) {
      if (typeof column !== 'string' || !isScalar(cell)) return null
      cells[column] = cell
    }
  }
  return cells
}

/** An object, or a list of pairs that stands for one whose order matters, entry by entry. */
function toPairs(value: Json): Json[][] {
  if (isObject(value)) return Object.entries(value)
  return Array.isArray(value) ? value.map((pair) => (Array.isArray(pair) ? pair : [pair])) : []
}
