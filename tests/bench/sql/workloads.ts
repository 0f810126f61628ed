import type { Queryable } from '../../../playground/backend/database.ts'

/** A flow, and the input of its runs. */
export interface Workload {
  title: string
  slug: string
  rounds: number
  steps: { slug: string; after: string[]; isMap: boolean }[]
  input: unknown
}

const name = (index: number) => `s${String(index).padStart(3, '0')}`

/** The shapes that are measured. */
export const workloads: readonly Workload[] = [
  {
    title: 'chain of 20 steps',
    slug: 'chain',
    rounds: 120,
    steps: Array.from({ length: 20 }, (_, index) => ({
      slug: name(index),
      after: index === 0 ? [] : [name(index - 1)],
      isMap: false,
    })),
    input: { text: 'A short input.' },
  },
  {
    title: 'fan-out to 100 steps',
    slug: 'fan_out',
    rounds: 60,
    steps: [
      { slug: 'root', after: [], isMap: false },
      ...Array.from({ length: 100 }, (_, index) => ({
        slug: name(index),
        after: ['root'],
        isMap: false,
      })),
    ],
    input: { text: 'A short input.' },
  },
  {
    title: 'map of 300 tasks',
    slug: 'map',
    rounds: 60,
    steps: [{ slug: 'each', after: [], isMap: true }],
    input: Array.from({ length: 300 }, (_, index) => ({ index, text: 'A short input.' })),
  },
]

/** Creates the flow, with a worker that will run its tasks. */
export async function createWorkload(db: Queryable, { slug, steps }: Workload): Promise<string> {
  await db.query('select pgflow.create_flow($1)', [slug])
  for (const step of steps) {
    await db.query('select pgflow.add_step($1, $2, $3::text[], step_type => $4)', [
      slug,
      step.slug,
      step.after,
      step.isMap ? 'map' : 'single',
    ])
  }
  const [worker] = await db.query<{ worker_id: string }>(
    `insert into pgflow.workers (worker_id, queue_name, function_name)
     values (gen_random_uuid(), $1, 'bench') returning worker_id`,
    [slug],
  )
  return worker?.worker_id ?? ''
}

interface Task {
  run_id: string
  step_slug: string
  task_index: number
}

const output = JSON.stringify({
  words: 3,
  text: 'A result of some sixty letters, as many steps have.',
})

/** Starts a run and works on it to its end, in the statements of pgflow's own worker. */
export async function workToTheEnd(
  db: Queryable,
  { slug, input }: Workload,
  workerId: string,
): Promise<void> {
  const [run] = await db.query<{ run_id: string }>(
    'select run_id from pgflow.start_flow($1, $2::jsonb)',
    [slug, JSON.stringify(input)],
  )
  for (;;) {
    const messages = await db.query<{ msg_id: string }>(
      'select msg_id::text from pgmq.read($1, 60, 10)',
      [slug],
    )
    if (messages.length === 0) break
    const tasks = await db.query<Task>(
      'select run_id, step_slug, task_index from pgflow.start_tasks($1, $2::bigint[], $3)',
      [slug, messages.map((message) => message.msg_id), workerId],
    )
    for (const task of tasks) {
      await db.query('select from pgflow.complete_task($1, $2, $3, $4::jsonb)', [
        task.run_id,
        task.step_slug,
        task.task_index,
        output,
      ])
    }
  }
  const [end] = await db.query<{ status: string }>(
    'select status from pgflow.runs where run_id = $1',
    [run?.run_id],
  )
  if (end?.status !== 'completed')
    throw new Error(`The run of ${slug} is ${end?.status ?? 'lost'}.`)
}
