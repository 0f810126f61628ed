import * as v from 'valibot'
import type {
  FlowShape,
  Json,
  PgflowRun,
  PgflowStep,
  RunSnapshot,
  RunSummary,
  StepRetry,
} from './entities.ts'
import { isRunId } from './run-id.ts'
import { clip } from './text.ts'

type Patch<Row> = { [Field in keyof Row]?: Row[Field] | undefined }
/** What an event may change of a run. */
export type RunPatch = Patch<Omit<PgflowRun, 'run_id'>>
/** What an event may change of a step. */
export type StepPatch = Patch<Omit<PgflowStep, 'run_id' | 'step_slug'>>

/** The parsed content of a broadcast. */
export interface RunEvent {
  run_id: string
  /** Null with pgflow's own broadcasts, which have no seq. */
  seq: number | null
  /** What changed, such as `run:started` or `step:completed`. */
  type: string
  run: RunPatch
  /** Null for events of the run itself. */
  step: { slug: string; patch: StepPatch } | null
  /** A failed attempt at one of the step's tasks; another attempt follows. */
  retry: StepRetry | null
  /** The broadcast was incomplete: the snapshot has the rest. */
  needsSnapshot: boolean
}

/** The result of parsing data from outside. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; reason: string }

/** The Realtime topic for the events of all of a user's runs; only with private channels. */
export function userTopic(userId: string): string {
  return `pgflow:user:${userId}`
}

/** The Realtime topic of a run's broadcasts. */
export function runTopic(runId: string): string {
  return `pgflow:run:${runId}`
}

const text = v.nullish(v.string(), null)
/** A count: an integer from 0 that a double holds exactly. */
const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0
const whole = v.custom<number>(isCount, 'a count')
const count = v.nullish(whole, null)
/** The id of a run as Postgres writes it. */
export const runIdField = v.custom<string>(
  (value) => typeof value === 'string' && isRunId(value),
  'the id of a run',
)
/** What JSON.parse returned needs no check. Inferring `Json` through valibot would never end. */
export const anyJson: v.GenericSchema<unknown, Json> = v.custom<Json>(() => true)
const json: v.OptionalSchema<typeof anyJson, null> = v.optional(anyJson, null)

/** The fields of a run besides its id. */
export const runFields = {
  flow_slug: v.string(),
  status: v.string(),
  input: json,
  output: json,
  error_message: text,
  remaining_steps: count,
  started_at: text,
  completed_at: text,
  failed_at: text,
}

/** The fields of a step besides its ids. */
export const stepFields = {
  status: v.string(),
  output: json,
  error_message: text,
  initial_tasks: count,
  remaining_tasks: count,
  started_at: text,
  completed_at: text,
  failed_at: text,
  skipped_at: text,
  skip_reason: text,
}

const retrySchema = v.object({
  task_index: v.optional(whole, 0),
  attempts_count: v.optional(whole, 0),
  error_message: text,
})

const snapshotSchema = v.object({
  run: v.object({ run_id: runIdField, ...runFields }),
  steps: v.array(
    v.object({
      run_id: v.string(),
      step_slug: v.string(),
      // Required: an older migration does not return it.
      step_index: v.custom<number | null>((value) => value === null || isCount(value), 'a count'),
      retry: v.nullish(retrySchema),
      ...stepFields,
    }),
  ),
  seq: count,
})

const { input: _input, output: _output, ...summaryFields } = runFields

const summariesSchema = v.array(
  v.object({
    run: v.object({ run_id: runIdField, ...summaryFields }),
    seq: count,
    cursor: v.string(),
  }),
)

const flowShapeSchema = v.object({
  flow_slug: v.string(),
  steps: v.array(
    v.object({ step_slug: v.string(), step_type: v.string(), deps: v.array(v.string()) }),
  ),
})

const eventSchema = v.object({
  run_id: runIdField,
  seq: v.optional(v.custom<number>((value) => isCount(value) && value !== 0, 'a count from 1')),
  event_type: v.optional(v.string()),
  step_slug: v.optional(v.string()),
  truncated: v.optional(v.array(v.string())),
  remaining_steps: v.optional(whole),
})
const runPatchSchema = v.partial(v.object(runFields))
const stepPatchSchema = v.partial(v.object(stepFields))

/** Changes that are also statuses. */
const statusChanges = new Set(['started', 'completed', 'failed', 'skipped'])
/** Changes that this version can apply; any other leads to a snapshot. */
const knownChanges = new Set([...statusChanges, 'progress', 'retrying'])

/** Parses one row of `start_flow_with_states` or `get_run_with_states`. */
export function parseSnapshot(row: unknown): Parsed<RunSnapshot> {
  return ofOneRun(toParsed(v.safeParse(snapshotSchema, row)))
}

/** Refuses a snapshot with steps of another run, or with the same step twice. */
export function ofOneRun(parsed: Parsed<RunSnapshot>): Parsed<RunSnapshot> {
  if (!parsed.ok) return parsed
  const { run, steps } = parsed.value
  if (steps.some(({ run_id }) => run_id !== run.run_id)) return refused('a step of another run')
  return eachOnce(parsed, steps, ({ step_slug }) => step_slug)
}

/** Parses the rows of `list_runs`. */
export function parseRunSummaries(rows: unknown): Parsed<RunSummary[]> {
  const parsed = v.safeParse(summariesSchema, rows)
  if (!parsed.success) return toParsed(parsed)
  const runs = parsed.output.map(({ run, ...place }) => ({ ...run, ...place }))
  return eachOnce({ ok: true, value: runs }, runs, ({ run_id }) => run_id)
}

/** Parses what `get_run_seqs` returns for the requested runs. */
export function parseSeqs(reply: unknown, runIds: readonly string[]): Parsed<Map<string, number>> {
  if (typeof reply !== 'object' || reply === null || Array.isArray(reply)) {
    return refused('expected an object')
  }
  const seqs = new Map<string, number>()
  for (const [id, seq] of new Map<string, unknown>(Object.entries(reply))) {
    if (!runIds.includes(id)) return refused('a run that was not asked for')
    const parsed = toParsed(v.safeParse(whole, seq))
    if (!parsed.ok) return parsed
    seqs.set(id, parsed.value)
  }
  return { ok: true, value: seqs }
}

/** Parses a row of `get_flow`. */
export function parseFlowShape(row: unknown): Parsed<FlowShape> {
  const parsed = toParsed(v.safeParse(flowShapeSchema, row))
  return parsed.ok ? eachOnce(parsed, parsed.value.steps, ({ step_slug }) => step_slug) : parsed
}

/** Refuses parsed rows if one occurs twice. */
export function eachOnce<T, Row>(
  parsed: Parsed<T>,
  rows: readonly Row[],
  idOf: (row: Row) => string,
): Parsed<T> {
  const ids = new Set(rows.map(idOf))
  return ids.size === rows.length ? parsed : refused('the same row twice')
}

function refused(reason: string): Parsed<never> {
  return { ok: false, reason }
}

/**
 * Parses a broadcast. The name is `run:<change>` or `<step_slug>:<change>`, or
 * `step:<step_slug>:<change>` from pgflow itself. If the payload has an `event_type`, that counts.
 */
export function parseEvent(name: string, payload: unknown): Parsed<RunEvent> {
  const envelope = v.safeParse(eventSchema, payload)
  if (!envelope.success) return toParsed(envelope)
  const { run_id, seq = null, step_slug, truncated, remaining_steps } = envelope.output
  const change = (envelope.output.event_type ?? name).split(':').at(-1) ?? ''
  const needsSnapshot = truncated !== undefined || !knownChanges.has(change)
  if (step_slug === undefined) {
    const run = v.safeParse(runPatchSchema, payload)
    if (!run.success) return toParsed(run)
    completeStatus(change, run.output)
    const type = `run:${change}`
    const value = { run_id, seq, type, run: run.output, step: null, retry: null, needsSnapshot }
    return { ok: true, value }
  }
  const step = v.safeParse(stepPatchSchema, payload)
  if (!step.success) return toParsed(step)
  completeStepPatch(change, step.output)
  const retry = change === 'retrying' ? v.safeParse(retrySchema, payload) : null
  return {
    ok: true,
    value: {
      run_id,
      seq,
      type: `step:${change}`,
      // A step's event contains only how many steps of the run remain.
      run: remaining_steps === undefined ? {} : { remaining_steps },
      step: { slug: step_slug, patch: step.output },
      retry: retry?.success ? retry.output : null,
      needsSnapshot,
    },
  }
}

function completeStatus(change: string, patch: RunPatch | StepPatch): void {
  if (patch.status === undefined && statusChanges.has(change)) patch.status = change
}

/** Adds what follows from a change, so that events alone result in the same step as a snapshot. */
function completeStepPatch(change: string, patch: StepPatch): void {
  completeStatus(change, patch)
  if (change === 'started') {
    patch.remaining_tasks ??= patch.initial_tasks ?? null
    // pgflow's own broadcast has only the other one; at the start they are equal.
    patch.initial_tasks ??= patch.remaining_tasks
  }
  if (change === 'completed') patch.remaining_tasks ??= 0
  if (change === 'skipped') patch.remaining_tasks = null
  // The error of an attempt that is retried is not the step's error.
  if (change === 'retrying') delete patch.error_message
}

/** What an event may change of a run: `flow_slug` and `input` come only from snapshots. */
export function changesOf({ run, step }: RunEvent): RunPatch {
  // A step's event contains nothing else of its run.
  if (step) return run
  const { flow_slug: _flow, input: _input, ...changes } = run
  return changes
}

/** Converts valibot's result: the path and what was expected, but never the value itself. */
export function toParsed<T>(
  result: { success: true; output: T } | { success: false; issues: v.BaseIssue<unknown>[] },
): Parsed<T> {
  if (result.success) return { ok: true, value: result.output }
  const issue = result.issues[0]
  const path = issue?.path?.map(({ key }) => String(key)).join('.')
  // For custom checks, valibot has no name of what was expected.
  const expected = issue?.type === 'custom' ? issue.message : issue?.expected
  return refused(`${path ? `${clip(path)}: ` : ''}${expected ?? 'another value'} was expected`)
}
