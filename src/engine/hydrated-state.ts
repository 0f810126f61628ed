import { markRaw, shallowReactive, toRaw } from 'vue'
import { idleConnection, stepKey } from '../model/entities.ts'
import { ownValue } from '../model/own-value.ts'
import { isRunId } from '../model/run-id.ts'

// State that was there before the store comes from a server or from storage: of another version, or
// of somebody else's making. What is not as this version writes it is dropped, and read again.

type Row = Record<string, unknown>
type Table = Record<string, Row>
type IsGood = (row: Row, key: string) => boolean

/** Takes over the state that is there before the store: what was live then is not live now. */
export function settleHydrated(state: unknown): void {
  if (!isObject(state)) return
  // Other keys may be those of plugins of Pinia.
  for (const key of Object.keys(state)) if (isMark(key)) Reflect.deleteProperty(state, key)

  const keep = (name: string, isGood: IsGood) => keepGood(state, name, isGood)
  const runs = keep('runs', isRun)
  keep('summaries', isRun)
  const steps = keep('steps', ({ run_id, step_slug, status }, key) => {
    return isOfRun(key) && key === stepKey(String(run_id), String(step_slug)) && isText(status)
  })
  for (const rows of [runs, steps]) for (const key of Object.keys(rows)) holdRaw(rows, key)
  const stepOrder = keep('stepOrder', (slugs, key) => isOfRun(key) && isTexts(slugs))
  const isWhole = (runId: string) => {
    const slugs = Object.values(ownValue(stepOrder, runId) ?? [''])
    return runId in runs && slugs.every((slug) => stepKey(runId, String(slug)) in steps)
  }
  keep('retries', (_, key) => isOfRun(key))
  keep('outputErrors', ({ code }, key) => isOfRun(key) && isText(code))
  keep('connections', (connection, key) => {
    if (!isOfRun(key)) return false
    const state = settled(connection, isWhole(key))
    Object.assign(connection, { ...idleConnection(), ...connection, ...state })
    return true
  })
  keep('lists', (list, key) => {
    if (!key.startsWith('[') || !isTexts(list.ids) || !isObject(list.connection)) return false
    const { status, error } = settled(list.connection, false)
    Object.assign(list, { isLoading: false, connection: { status, error } })
    return true
  })
  state.flows = Array.isArray(state.flows) ? state.flows.filter(isShape) : []
}

/** Makes a table hold nothing but good rows; one that is missing becomes empty. */
function keepGood(tables: Row, name: string, isGood: IsGood): Table {
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

/** Inputs and outputs are raw, as those that are read here. */
function holdRaw(rows: Table, key: string): void {
  const row = rows[key] ?? {}
  for (const value of [row.input, row.output]) if (isObject(value)) markRaw(value)
  rows[key] = shallowReactive(row)
}

/** Whether an object has keys that Vue would take for its own marks. */
function hasMarks(row: Row): boolean {
  return Object.keys(row).some(isMark)
}

function isMark(key: string): boolean {
  return key.startsWith('__')
}

/** What has ended, or cannot be read, stays so until somebody observes it. */
function settled({ status, error: given, seq }: Row, isWhole: boolean) {
  const error = isObject(given) && isText(given.code) ? given : null
  return {
    status: status === 'closed' && (error || isWhole) ? status : 'idle',
    error,
    seq: Number.isSafeInteger(seq) ? seq : null,
  }
}

function isRun({ run_id, flow_slug, status }: Row, key: string): boolean {
  return isRunId(key) && run_id === key && isText(flow_slug) && isText(status)
}

/** Whether a key is that of a run, or of one of its steps. */
function isOfRun(key: string): boolean {
  return isRunId(key.split('/', 1)[0] ?? '')
}

function isShape(shape: unknown): boolean {
  const isStep = (step: unknown) => isObject(step) && isText(step.step_slug) && isTexts(step.deps)
  return (
    isObject(shape) && !hasMarks(shape) && Array.isArray(shape.steps) && shape.steps.every(isStep)
  )
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText)
}

function isObject(value: unknown): value is Row {
  return typeof value === 'object' && value !== null
}
