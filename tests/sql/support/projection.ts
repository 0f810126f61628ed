import type { Message, Payload, Snapshot } from './messages.ts'

const runFields = [
  ...['run_id', 'flow_slug', 'status', 'input', 'output', 'error_message', 'remaining_steps'],
  ...['started_at', 'completed_at', 'failed_at'],
]
const stepFields = [
  ...['step_slug', 'status', 'output', 'error_message', 'initial_tasks', 'started_at'],
  ...['completed_at', 'failed_at', 'skip_reason', 'skipped_at'],
]

/** What a client knows of a run: docs/broadcast-contract.md defines it. */
export interface Projection {
  run: Payload
  steps: Record<string, Payload>
}

function pick(source: Payload, fields: string[]): Payload {
  return Object.fromEntries(fields.map((field) => [field, source[field] ?? null]))
}

/** The projection that a snapshot tells. */
export function projectionOf(snapshot: Snapshot): Projection {
  const steps = snapshot.steps.map((step) => [String(step.step_slug), stepOf(step)] as const)
  return { run: pick(snapshot.run, runFields), steps: Object.fromEntries(steps) }
}

function stepOf(row: Payload): Payload {
  // What a step has while it is only created is not part of the projection.
  const { step_slug, status } = row
  return pick(status === 'created' ? { step_slug, status } : row, stepFields)
}

/** The projection after one more broadcast, by the contract's rule: every field it has replaces. */
export function applyMessage(before: Projection, { payload }: Message): Projection {
  if (payload.event_type === 'step:progress' || payload.event_type === 'step:retrying')
    return before
  const slug = payload.step_slug
  if (typeof slug !== 'string') return { ...before, run: replace(before.run, payload, runFields) }
  const remaining = 'remaining_steps' in payload ? ['remaining_steps'] : []
  return {
    run: replace(before.run, payload, remaining),
    steps: {
      ...before.steps,
      [slug]: stepOf(replace(before.steps[slug] ?? {}, payload, stepFields)),
    },
  }
}

function replace(target: Payload, source: Payload, fields: string[]): Payload {
  const changed = fields.filter((field) => field in source)
  return { ...target, ...pick(source, changed) }
}
