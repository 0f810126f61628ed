import { randomUUID } from 'node:crypto'
import type { Queryable } from './database.ts'

/** One step of a flow under test; `map` makes it a map step. */
export interface StepOptions {
  slug: string
  after?: string[]
  map?: boolean
  maxAttempts?: number
}

/** Creates a flow of its own for one test and returns its slug. */
export async function createFlow(db: Queryable, steps: StepOptions[]): Promise<string> {
  const flowSlug = `flow_${randomUUID().replaceAll('-', '')}`
  await db.query('select pgflow.create_flow($1, max_attempts => 1, base_delay => 0)', [flowSlug])
  for (const step of steps) {
    await db.query(
      'select pgflow.add_step($1, $2, $3::text[], max_attempts => $4, step_type => $5)',
      [flowSlug, step.slug, step.after ?? [], step.maxAttempts ?? 1, step.map ? 'map' : 'single'],
    )
  }
  return flowSlug
}

/** Starts a run the way pgflow's own users do and returns its id. */
export async function startRun(db: Queryable, flowSlug: string, input: unknown = {}) {
  const runId = randomUUID()
  await db.query('select pgflow.start_flow($1, $2::jsonb, $3)', [
    flowSlug,
    JSON.stringify(input),
    runId,
  ])
  return runId
}

/** A task that a worker has taken and not answered yet. */
export interface Task {
  run_id: string
  step_slug: string
  task_index: number
}

/** Takes the flow's waiting tasks as a worker does: read the queue, then start what was read. */
export async function takeTasks(db: Queryable, flowSlug: string, quantity = 100) {
  const messages = await db.query<{ msg_id: string }>(
    'select msg_id::text from pgmq.read($1, 60, $2)',
    [flowSlug, quantity],
  )
  const workerId = randomUUID()
  await db.query(
    'insert into pgflow.workers (worker_id, queue_name, function_name) values ($1, $2, $2)',
    [workerId, flowSlug],
  )
  return db.query<Task>(
    `select run_id, step_slug, task_index from pgflow.start_tasks($1, $2::bigint[], $3)
     order by run_id, step_slug, task_index`,
    [flowSlug, messages.map((message) => message.msg_id), workerId],
  )
}

export async function completeTask(db: Queryable, task: Task, output: unknown): Promise<void> {
  await db.query('select pgflow.complete_task($1, $2, $3, $4::jsonb)', [
    task.run_id,
    task.step_slug,
    task.task_index,
    JSON.stringify(output),
  ])
}

export async function failTask(db: Queryable, task: Task, message: string): Promise<void> {
  await db.query('select pgflow.fail_task($1, $2, $3, $4)', [
    task.run_id,
    task.step_slug,
    task.task_index,
    message,
  ])
}

/** Works on the flow until nothing waits any more, completing each task with `output(task)`. */
export async function workThrough(
  db: Queryable,
  flowSlug: string,
  output: (task: Task) => unknown = (task) => `${task.step_slug} ${task.task_index}`,
): Promise<void> {
  for (;;) {
    const tasks = await takeTasks(db, flowSlug)
    if (tasks.length === 0) return
    for (const task of tasks) await completeTask(db, task, output(task))
  }
}
