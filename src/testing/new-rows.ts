import type { Json } from '../model/entities.ts'
import type { FlowDefinition, StepDefinition } from './definition.ts'
import type { RunRow, StepRow } from './rows.ts'

/** The row of a run that starts now. */
export function newRun(flow: FlowDefinition, runId: string, input: Json, now: string): RunRow {
  return {
    run_id: runId,
    flow_slug: flow.slug,
    status: 'started',
    input,
    output: null,
    error_message: null,
    remaining_steps: flow.steps.length,
    started_at: now,
    completed_at: null,
    failed_at: null,
  }
}

/** The row of a step of a run that starts now. The tasks of a map step come from its dependency. */
export function newStep(
  run: RunRow,
  { slug, deps, isMap }: StepDefinition,
  step_index: number,
): StepRow {
  const ofMap = deps.length === 0 && Array.isArray(run.input) ? run.input.length : null
  return {
    flow_slug: run.flow_slug,
    run_id: run.run_id,
    step_slug: slug,
    step_index,
    status: 'created',
    output: null,
    error_message: null,
    initial_tasks: isMap ? ofMap : 1,
    remaining_tasks: null,
    remaining_deps: deps.length,
    created_at: run.started_at,
    started_at: null,
    completed_at: null,
    failed_at: null,
    skip_reason: null,
    skipped_at: null,
  }
}
