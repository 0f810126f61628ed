import type { Json } from '../../src/model/entities.ts'
import type { Message, SnapshotRow } from '../../src/testing/rows.ts'

// What a client holds of a run, by docs/broadcast-contract.md, and how events change it. Written
// from that page: it shares no code with the library.

/** A row of a run or a step. */
export type Row = Readonly<Record<string, unknown>>

/** What a client holds of a run if it has missed nothing. */
export interface Projection {
  run: Row
  steps: ReadonlyMap<string, Row>
}

const runFields = [
  ...['flow_slug', 'status', 'input', 'output', 'error_message', 'remaining_steps'],
  ...['started_at', 'completed_at', 'failed_at'],
]
const stepFields = [
  ...['status', 'output', 'error_message', 'initial_tasks', 'started_at', 'completed_at'],
  ...['failed_at', 'skip_reason', 'skipped_at'],
]

/** The projection of what the database holds. */
export function projectionOf({ run, steps }: SnapshotRow): Projection {
  return {
    run: { ...run },
    steps: new Map(steps.map((step) => [step.step_slug, { ...step }])),
  }
}

/** The projection after an event. */
export function afterEvent(before: Projection, { payload }: Message): Projection {
  const { step_slug: slug, remaining_steps } = payload
  const change = textOf(payload.event_type).split(':')[1]
  if (typeof slug !== 'string') return { ...before, run: patched(before.run, payload, runFields) }
  const run = remaining_steps === undefined ? before.run : { ...before.run, remaining_steps }
  const known = before.steps.get(slug) ?? {}
  let step = known
  if (change === 'progress') step = { ...known, remaining_tasks: payload.remaining_tasks }
  else if (change !== 'retrying') step = patched(known, payload, stepFields)
  if (change === 'started' && known.status === 'created') {
    step = { ...step, remaining_tasks: step.initial_tasks }
  }
  if (change === 'completed') step = { ...step, remaining_tasks: 0 }
  return { run, steps: new Map([...before.steps, [slug, step]]) }
}

function patched(row: Row, payload: Record<string, Json>, fields: readonly string[]): Row {
  const changes = fields.filter((field) => field in payload)
  return { ...row, ...Object.fromEntries(changes.map((field) => [field, payload[field]])) }
}

/** Options of a comparison. */
export interface Strictness {
  /** Without the migration's SQL, the error of a run and outputs of steps may be missing. */
  hasOutputs: boolean
}

/** The first difference of two projections, as text; null if they are equal. */
export function difference(
  shown: Projection,
  truth: Projection,
  { hasOutputs }: Strictness = { hasOutputs: true },
): string | null {
  const ofRun = fieldThatDiffers(shown.run, truth.run, runFields)
  if (ofRun !== null) return `run.${ofRun}`
  for (const [slug, step] of truth.steps) {
    const row = shown.steps.get(slug)
    if (!row) return `${slug} is missing`
    // The other columns of such a step's row are not part of the projection.
    const fields = step.status === 'created' ? ['status'] : stepFields
    const compared = hasOutputs || row.output !== null ? fields : without(fields, 'output')
    const field = fieldThatDiffers(row, step, compared)
    if (field !== null) return `${slug}.${field}`
    if (step.status === 'started' && row.remaining_tasks !== step.remaining_tasks) {
      return `${slug}.remaining_tasks: ${text(row.remaining_tasks)}, not ${text(step.remaining_tasks)}`
    }
  }
  for (const slug of shown.steps.keys()) if (!truth.steps.has(slug)) return `${slug} does not exist`
  return null
}

function without(fields: readonly string[], field: string): string[] {
  return fields.filter((each) => each !== field)
}

function fieldThatDiffers(shown: Row, truth: Row, fields: readonly string[]): string | null {
  for (const field of fields) {
    const [is, should] = [shown[field] ?? null, truth[field] ?? null]
    if (!isEqual(is, should)) return `${field}: ${text(is)}, not ${text(should)}`
  }
  return null
}

/** Whether two JSON values are the same. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return false
    if (!isEqual(Reflect.get(a, key), Reflect.get(b, key))) return false
  }
  return true
}

/** A value that should be a text, and '' where it is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function text(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
