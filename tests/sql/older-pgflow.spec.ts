import { readFile, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from './support/database.ts'
import {
  completeTask,
  createFlow,
  failTask,
  startRun,
  takeTasks,
  type Task,
} from './support/flows.ts'
import { messagesOf, snapshotOf } from './support/messages.ts'
import { install } from './support/migration.ts'

// pgflow's releases only ever added migrations, so the first of them are an older pgflow.
const folder = join(
  dirname(createRequire(import.meta.url).resolve('@pgflow/core/package.json')),
  'dist/supabase/migrations',
)

let db: TestDatabase | undefined
afterEach(() => db?.close())

/** A database with the pgflow of the day when `last` was its newest migration. */
async function openOlder(last: string): Promise<TestDatabase> {
  db = await openTestDatabase('platform')
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  for (const name of names.filter((name) => name <= `${last}~`)) {
    await db.exec(await readFile(join(folder, name), 'utf8'))
  }
  return db
}

/** start_tasks of that time did not tell the index of a task: each step had one. */
async function takeTask(on: TestDatabase): Promise<Task> {
  await on.exec(`
    insert into pgflow.workers (worker_id, queue_name, function_name)
    values ('00000000-0000-4000-8000-000000000000', 'old', 'old') on conflict do nothing
  `)
  const [task] = await on.query<Task>(
    `select run_id, step_slug, 0 as task_index from pgflow.start_tasks(
       'old',
       (select array_agg(msg_id) from pgmq.read('old', 60, 1)),
       '00000000-0000-4000-8000-000000000000'
     )`,
  )
  if (!task) throw new Error('no task waits')
  return task
}

describe('on pgflow 0.4, which knew no map steps', () => {
  it('returns a run as on newer ones', async () => {
    const on = await openOlder('20250619195327')
    await on.exec(install)
    await on.exec(`
      select pgflow.create_flow('old', max_attempts => 2, base_delay => 0);
      select pgflow.add_step('old', 'a');
      select pgflow.add_step('old', 'b', array['a']);
    `)
    const runId = await startRun(on, 'old', { x: 1 })
    await completeTask(on, await takeTask(on), { y: 2 })
    await failTask(on, await takeTask(on), 'broken')
    await failTask(on, await takeTask(on), 'broken')
    const messages = await messagesOf(on, runId)
    expect(messages.map(({ event, payload }) => [payload.seq, event])).toEqual([
      [1, 'run:started'],
      [2, 'a:started'],
      [3, 'a:completed'],
      [4, 'b:started'],
      [5, 'b:retrying'],
      [6, 'b:failed'],
      [7, 'run:failed'],
    ])
    expect(messages[2]?.payload.output).toEqual({ y: 2 })
    expect(await snapshotOf(on, runId)).toMatchObject({
      run: { status: 'failed', error_message: 'broken' },
      steps: [
        { step_slug: 'a', status: 'completed', output: { y: 2 } },
        { step_slug: 'b', status: 'failed', error_message: 'broken' },
      ],
      seq: 7,
    })
    const [flow] = await on.query(`select * from pgflow_client.get_flow('old')`)
    expect(flow).toEqual({
      flow_slug: 'old',
      steps: [
        { step_slug: 'a', step_type: 'single', deps: [] },
        { step_slug: 'b', step_type: 'single', deps: ['a'] },
      ],
    })
    const [row] = await on.query<{ status: unknown }>('select pgflow_realtime.status() as status')
    expect(row?.status).toMatchObject({ pgflow: { map_steps: false }, problems: [] })
  })
})

describe('on pgflow 0.7, which sends few of its own broadcasts', () => {
  it('returns a map as on newer ones', async () => {
    const on = await openOlder('20251006073122')
    await on.exec(install)
    const flow = await createFlow(on, [
      { slug: 'list' },
      { slug: 'each', after: ['list'], map: true },
    ])
    const runId = await startRun(on, flow, {})
    for (const output of [[1, 2], 'x']) {
      for (const task of await takeTasks(on, flow)) await completeTask(on, task, output)
    }
    const messages = await messagesOf(on, runId)
    expect(messages.map(({ event, payload }) => [payload.seq, event])).toEqual([
      [1, 'run:started'],
      [2, 'list:started'],
      [3, 'list:completed'],
      [4, 'each:started'],
      [5, 'each:progress'],
      [6, 'each:completed'],
      [7, 'run:completed'],
    ])
    expect(await snapshotOf(on, runId)).toMatchObject({
      run: { status: 'completed', output: { each: ['x', 'x'] } },
      steps: [
        { step_slug: 'each', step_index: 1, output: ['x', 'x'], initial_tasks: 2 },
        { step_slug: 'list', step_index: 0, output: [1, 2] },
      ],
      seq: 7,
    })
    const [row] = await on.query<{ status: unknown }>('select pgflow_realtime.status() as status')
    expect(row?.status).toMatchObject({ pgflow: { map_steps: true }, problems: [] })
  })
})

describe('on pgflow before 0.4', () => {
  it('refuses to install', async () => {
    const on = await openOlder('20250610180554')
    await expect(on.exec(install)).rejects.toMatchObject({
      message: expect.stringContaining('needs pgflow 0.4 or newer') as string,
    })
  })
})
