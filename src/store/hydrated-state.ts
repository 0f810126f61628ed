import { markRaw, shallowReactive } from 'vue'
import { idleConnection, stepKey } from '../model/entities.ts'
import { ownValue } from '../model/own-value.ts'
import { isRunId } from '../model/run-id.ts'
import {
  dropMarks,
  hasMarks,
  isObject,
  isRun,
  isText,
  isTexts,
  keepGood,
  initialConnection,
  type IsGood,
  type GivenTable,
} from './hydrated-rows.ts'

/** Takes over the state that is there before the store is created. Nothing in it is `live`. */
export function takeOverHydrated(state: unknown): void {
  if (!isObject(state)) return
  dropMarks(state)
  const keep = (name: string, isGood: IsGood) => keepGood(state, name, isGood)
  const runs = keep('runs', isRun)
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
    const state = initialConnection(connection, isWhole(key))
    Object.assign(connection, { ...idleConnection(), ...connection, ...state })
    return true
  })
  state.flows = Array.isArray(state.flows) ? state.flows.filter(isShape) : []
}

/** Marks inputs and outputs as raw, like those that are read here. */
function holdRaw(rows: GivenTable, key: string): void {
  const row = rows[key] ?? {}
  for (const value of [row.input, row.output]) if (isObject(value)) markRaw(value)
  rows[key] = shallowReactive(row)
}

/** Whether a key is that of a run or of one of its steps. */
function isOfRun(key: string): boolean {
  return isRunId(key.split('/', 1)[0] ?? '')
}

function isShape(shape: unknown): boolean {
  const isStep = (step: unknown) => isObject(step) && isText(step.step_slug) && isTexts(step.deps)
  return (
    isObject(shape) && !hasMarks(shape) && Array.isArray(shape.steps) && shape.steps.every(isStep)
  )
}
