/** What the database says of runs that exist only here. */
const startedAt = '2026-11-23T00:00:00+00:00'

/** The name of a run or step by its number. */
export const runIdOf = (index: number) =>
  `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`
export const slugOf = (index: number) => `step_${String(index).padStart(5, '0')}`

/** A started run, as a row of the RPCs. */
export function snapshotOf(runId: string, steps: number, seq: number) {
  return {
    run: {
      run_id: runId,
      flow_slug: 'flow',
      status: 'started',
      input: { text: 'A short input.' },
      output: null,
      error_message: null,
      remaining_steps: steps,
      started_at: startedAt,
      completed_at: null,
      failed_at: null,
    },
    steps: Array.from({ length: steps }, (_, index) => ({
      run_id: runId,
      step_slug: slugOf(index),
      step_index: index,
      status: 'started',
      output: null,
      error_message: null,
      initial_tasks: 1,
      remaining_tasks: 1,
      started_at: startedAt,
      completed_at: null,
      failed_at: null,
    })),
    seq,
  }
}

/** A step's completion, as the layer broadcasts it. */
export function completion(runId: string, slug: string, seq: number, text: string) {
  return {
    run_id: runId,
    seq,
    event_type: 'step:completed',
    status: 'completed',
    step_slug: slug,
    output: { words: 3, text },
    completed_at: startedAt,
    remaining_steps: 1,
  }
}
