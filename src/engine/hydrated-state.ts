import { idleConnection, stepKey } from '../model/entities.ts'
import { isRunId } from '../model/run-id.ts'

// State that was there before the store comes from a server or from storage: of another version, or
// of somebody else's making. What is not as this version writes it is dropped, and read again.

type Row = Record<string, unknown>
type IsGood = (row: Row, key: string) => boolean

/** Takes over the state that is there before the store: what was live then is not live now. */
export function settleHydrated(state: unknown): void {
  if (!isObject(state)) return
  // Other keys may be those of plugins of Pinia.
  for (const key of Object.keys(state)) if (isMark(key)) Reflect.deleteProperty(state, key)

  const keep = (name: string, isGood: IsGood) => keepGood(state, name, isGood)
  keep('runs', isRun)
  keep('summaries', isRun)
  keep('steps', ({ run_id, step_slug, status }, key) => {
    return isOfRun(key) && key === stepKey(String(run_id), String(step_slug)) && isText(status)
  })
  keep('stepOrder', (slugs, key) => isOfRun(key) && isTexts(slugs))
  keep('retries', (_, key) => isOfRun(key))
  keep('outputErrors', ({ code }, key) => isOfRun(key) && isText(code))
  keep('connections', (connection, key) => {
    if (!isOfRun(key)) return false
    Object.assign(connection, { ...idleConnection(), ...connection, ...settled(connection) })
    return true
  })
  keep('lists', (list, key) => {
    if (!key.startsWith('[') || !isTexts(list.ids) || !isObject(list.connection)) return false
    const { error } = settled(list.connection)
    Object.assign(list, { isLoading: false, connection: { status: 'idle', error } })
    return true
  })
  state.flows = Array.isArray(state.flows) ? state.flows.filter(isShape) : []
}

/** Makes a table hold nothing but good rows; one that is missing becomes empty. */
function keepGood(tables: Row, name: string, isGood: IsGood): void {
  const rows = Object.entries(isObject(tables[name]) ? tables[name] : {})
  // A new one: Vue would take marks of its own in the old one for the table.
  tables[name] = Object.fromEntries(
    rows.filter(([key, row]) => isObject(row) && !hasMarks(row) && isGood(row, key)),
  )
}

/** Whether an object has keys that Vue would take for its own marks. */
function hasMarks(row: Row): boolean {
  return Object.keys(row).some(isMark)
}

function isMark(key: string): boolean {
  return key.startsWith('__')
}

/** What has ended stays so: nothing more is to be read of it. */
function settled({ status, error, seq }: Row) {
  return {
    status: status === 'closed' ? status : 'idle',
    error: isObject(error) && isText(error.code) ? error : null,
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
