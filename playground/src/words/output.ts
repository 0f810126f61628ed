import type { Json } from 'pinia-pgflow'
import { counted, excerpt, formatKey, formatNumber } from './format.ts'

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

/** A list of objects as a table, objects inside them as further columns; null if it is not one. */
export function toTable(value: Json): Table | null {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isObject)) return null
  const rows = value.map((row) => flatten(row))
  if (rows.some((row) => row === null)) return null
  const flat = rows.filter((row) => row !== null)
  const columns = [...new Set(flat.flatMap((row) => Object.keys(row)))]
  return { columns, rows: flat }
}

function flatten(row: Record<string, Json>): Record<string, Scalar> | null {
  const cells: Record<string, Scalar> = {}
  for (const [key, value] of Object.entries(row)) {
    const inner = isObject(value) ? value : { [key]: value }
    for (const [column, cell] of Object.entries(inner)) {
      if (!isScalar(cell)) return null
      cells[column] = cell
    }
  }
  return cells
}

/** An output in one line. */
export function previewOf(output: Json): string {
  if (isScalar(output)) return excerpt(formatScalar(output), 90)
  if (Array.isArray(output)) return counted(output.length, 'row')
  const entries = Object.entries(output)
  const texts = entries.flatMap(([, value]) => (typeof value === 'string' && value ? [value] : []))
  const figures = entries.flatMap(([key, value]) =>
    typeof value === 'number' ? [`${labelOf(key)} ${formatNumber(value)}`] : [],
  )
  const lists = entries.flatMap(([key, value]) =>
    Array.isArray(value) ? [`${labelOf(key)} ${listPreview(value)}`] : [],
  )
  const [text] = texts
  const lead = text !== undefined && figures.length < 3 ? [excerpt(text, 70)] : []
  return [...lead, ...figures, ...lists].slice(0, 3).join(' · ')
}

function labelOf(key: string): string {
  return formatKey(key).toLowerCase()
}

/** The names in a list if they are short, else how many they are. */
function listPreview(list: Json[]): string {
  const names = list.flatMap((item) => {
    const name = isObject(item) ? Object.values(item)[0] : item
    return typeof name === 'string' && name.length < 24 ? [name] : []
  })
  const areNames = names.length > 0 && names.length === list.length
  return areNames ? excerpt(names.join(', '), 50) : formatNumber(list.length)
}
