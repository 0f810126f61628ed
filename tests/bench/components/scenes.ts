import { completion, slugOf, snapshotOf } from '../apply/rows.ts'

/** A run to look at, and what happens to it. */
export interface Scene {
  /** Its row of `get_runs_with_states`. */
  snapshot: (runId: string) => object
  /** Its row of `get_flow`. */
  flow: { flow_slug: string; steps: { step_slug: string; step_type: string; deps: string[] }[] }
  /** What is broadcast of it as its event number `index`, from 0: the event and its payload. */
  event: (runId: string, index: number) => [event: string, payload: object]
}

/** So many steps side by side, each waiting for the one before it. */
const breadth = 20
/** So many of the first steps are in sight, and are tried again in between. */
const inSight = 12

/** A run of many steps: they complete one after the other, and those in sight are tried again. */
export function manySteps(count: number): Scene {
  const retriesOf = (index: number) => Math.floor(index / 2 / inSight) + 1
  return {
    snapshot: (runId) => startedNow(snapshotOf(runId, count, 1)),
    flow: {
      flow_slug: 'flow',
      steps: Array.from({ length: count }, (_, index) => ({
        step_slug: slugOf(index),
        step_type: 'single',
        deps: index < breadth ? [] : [slugOf(index - breadth)],
      })),
    },
    event: (runId, index) => {
      const seq = index + 2
      const turn = Math.floor(index / 2)
      if (index % 2 === 1) {
        const slug = slugOf(turn % Math.min(inSight, count))
        return [`${slug}:retrying`, retry(runId, slug, seq, retriesOf(index))]
      }
      // Those in sight go on.
      const slug = slugOf(count > inSight ? inSight + (turn % (count - inSight)) : turn % count)
      return [
        `${slug}:completed`,
        { ...completion(runId, slug, seq, 'done'), completed_at: new Date().toISOString() },
      ]
    },
  }
}

/** A run with a map of many tasks, which are done one after the other. */
export function manyTasks(count: number): Scene {
  const slugs = ['list', 'each', 'report']
  return {
    snapshot: (runId) => {
      const { steps, ...rest } = startedNow(snapshotOf(runId, slugs.length, 1))
      return {
        ...rest,
        steps: steps.map((step, index) => ({
          ...step,
          step_slug: slugs[index],
          status: ['completed', 'started', 'created'][index],
          ...(index === 1 && { initial_tasks: count, remaining_tasks: count }),
        })),
      }
    },
    flow: {
      flow_slug: 'flow',
      steps: slugs.map((slug, index) => ({
        step_slug: slug,
        step_type: index === 1 ? 'map' : 'single',
        deps: slugs.slice(Math.max(0, index - 1), index),
      })),
    },
    event: (runId, index) => [
      'each:progress',
      {
        run_id: runId,
        seq: index + 2,
        event_type: 'step:progress',
        step_slug: 'each',
        status: 'started',
        initial_tasks: count,
        // It never ends, however few tasks there are.
        remaining_tasks: count - (index % count),
      },
    ],
  }
}

function startedNow(snapshot: ReturnType<typeof snapshotOf>) {
  const started_at = new Date().toISOString()
  return {
    ...snapshot,
    run: { ...snapshot.run, started_at },
    steps: snapshot.steps.map((step) => ({ ...step, started_at })),
  }
}

function retry(runId: string, slug: string, seq: number, attempts: number): object {
  return {
    run_id: runId,
    seq,
    event_type: 'step:retrying',
    status: 'started',
    step_slug: slug,
    task_index: 0,
    attempts_count: attempts,
    error_message: `No answer, attempt ${attempts}`,
  }
}
