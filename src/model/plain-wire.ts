import * as v from 'valibot'
import type { FlowShape, RunSnapshot, RunSummary, StepSnapshot } from './entities.ts'
import {
  anyJson,
  eachOnce,
  ofOneRun,
  parseFlowShape,
  runFields,
  runIdField,
  stepFields,
  toParsed,
  type Parsed,
} from './wire.ts'

// What pgflow's own functions and tables return, without this project's SQL.

const snapshotSchema = v.object({
  run: v.object({ run_id: runIdField, ...runFields }),
  steps: v.array(
    v.object({
      run_id: v.string(),
      step_slug: v.string(),
      // Only the flow has an order; `fetchFlow` reads it.
      step_index: v.optional(v.null(), null),
      ...stepFields,
      // Absent before pgflow 0.11, which does not mean null.
      output: v.exactOptional(anyJson),
    }),
  ),
})

const { input: _input, output: _output, error_message: _error, ...listedFields } = runFields
const listedRunSchema = v.object({ run_id: runIdField, ...listedFields })

/** Parses what pgflow's `start_flow_with_states` and `get_run_with_states` return. */
export function parsePlainSnapshot(reply: unknown): Parsed<RunSnapshot> {
  const parsed = v.safeParse(snapshotSchema, reply)
  if (!parsed.success) return toParsed(parsed)
  const { run, steps } = parsed.output
  // The output of a completed run consists of the outputs of the steps that no other depends on.
  const leaves = new Map(isCompleted(run) && isObject(run.output) ? Object.entries(run.output) : [])
  const withOutputs = steps.map((step): StepSnapshot => {
    if (!isCompleted(step)) return { ...step, output: null }
    const output = step.output ?? leaves.get(step.step_slug)
    return output === undefined ? step : { ...step, output }
  })
  const error_message =
    run.error_message ?? (run.status === 'failed' ? causeOf(run, withOutputs) : null)
  return ofOneRun({
    ok: true,
    value: { run: { ...run, error_message }, steps: withOutputs, seq: null },
  })
}

/** Parses rows of the table `runs` as a list. They have no error: that is in the steps. */
export function parsePlainRunSummaries(rows: unknown): Parsed<RunSummary[]> {
  const parsed = v.safeParse(v.array(listedRunSchema), rows)
  if (!parsed.success) return toParsed(parsed)
  const runs = parsed.output.map((run) => ({
    ...run,
    error_message: null,
    seq: null,
    cursor: `${run.started_at ?? ''} ${run.run_id}`,
  }))
  return eachOnce({ ok: true, value: runs }, runs, ({ run_id }) => run_id)
}

const stepsSchema = v.array(v.object({ step_slug: v.string(), step_type: v.string() }))
const depsSchema = v.array(v.object({ step_slug: v.string(), dep_slug: v.string() }))

/** Parses rows of the tables `steps`, in their order, and `deps` as the shape of a flow. */
export function parsePlainFlowShape(
  flow_slug: string,
  stepRows: unknown,
  depRows: unknown,
): Parsed<FlowShape> {
  const deps = v.safeParse(depsSchema, depRows)
  if (!deps.success) return toParsed(deps)
  const steps = v.safeParse(stepsSchema, stepRows)
  if (!steps.success) return toParsed(steps)
  const depsOf = (slug: string) =>
    deps.output.filter(({ step_slug }) => step_slug === slug).map(({ dep_slug }) => dep_slug)
  return parseFlowShape({
    flow_slug,
    steps: steps.output.map((step) => ({ ...step, deps: depsOf(step.step_slug).sort() })),
  })
}

/** The error that failed the run: of several failed steps, that of the one with the run's time. */
function causeOf(run: RunSnapshot['run'], steps: StepSnapshot[]): string | null {
  const failed = steps.filter(({ status }) => status === 'failed')
  const cause = failed.find(({ failed_at }) => failed_at === run.failed_at) ?? failed[0]
  return cause?.error_message ?? null
}

function isCompleted({ status }: { status: string }): boolean {
  return status === 'completed'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
