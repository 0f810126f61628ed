import { toPgflowError } from '../errors.ts'
import type { Json } from '../model/entities.ts'
import { toJson } from '../model/json.ts'
import type { StepDefinition } from './definition.ts'
import type { RunRecord } from './run-record.ts'

/** One action of a worker: a transaction of its own. */
export type WorkerAction = () => void

/** The next action of a worker that follows the script in a run; null when it has ended. */
export function nextAction(record: RunRecord): WorkerAction | null {
  if (record.isOver) return null
  const step = record.flow.steps.find(({ slug }) => record.step(slug)?.status === 'started')
  return step ? actionOf(record, step) : null
}

/** The next action of a worker that follows the script in a step that has started. */
export function actionOf(record: RunRecord, step: StepDefinition): WorkerAction {
  const tasks = record.tasks(step.slug)
  const index = tasks.findIndex((task) => !task.isDone)
  const attempts = index === 0 ? (tasks[0]?.attempts ?? 1) : Infinity
  if (attempts <= step.attempts) {
    const message = step.error ?? `attempt ${attempts} failed`
    return () => record.retryTask(step, index, message)
  }
  const { error } = step
  if (error !== undefined) return () => record.failTask(step, error)
  return () => {
    let output: Json
    try {
      output = outputOf(record, step, index)
    } catch (thrown) {
      // As a handler that throws.
      return record.failTask(step, toPgflowError(thrown).message)
    }
    record.completeTask(step, index, output)
  }
}

/** The output of a task by the script. */
export function outputOf(record: RunRecord, step: StepDefinition, index: number): Json {
  const { output, isMap } = step
  const input = isMap ? elementOf(record, step, index) : inputOf(record, step)
  if (typeof output === 'function') return jsonOf(Reflect.apply(output, undefined, [input, index]))
  if (output === undefined) return isMap ? null : defaultOutput(record, step)
  return isMap && Array.isArray(output) ? jsonOf(output[index]) : jsonOf(output)
}

/** Null, or as many numbers as a map step over it is to have tasks. */
function defaultOutput(record: RunRecord, { slug }: StepDefinition): Json {
  const map = record.flow.steps.find(({ isMap, deps }) => isMap && deps.includes(slug))
  return map ? Array.from({ length: map.tasks }, (_, index) => index) : null
}

function inputOf(record: RunRecord, { deps }: StepDefinition): Record<string, Json> {
  const outputs = deps.map((dep): [string, Json] => [dep, record.step(dep)?.output ?? null])
  // A copy: a script may change its arguments.
  return structuredClone({ run: record.run.input, ...Object.fromEntries(outputs) })
}

function elementOf(record: RunRecord, { deps }: StepDefinition, index: number): Json {
  const [dep] = deps
  const array = dep === undefined ? record.run.input : record.step(dep)?.output
  return Array.isArray(array) ? structuredClone(array[index] ?? null) : null
}

/** The value that pgflow stores: undefined becomes null. */
function jsonOf(value: unknown): Json {
  // `toJson` validates any value, and throws if it is not JSON.
  return value === undefined ? null : toJson(value as Json)
}
