import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from './support/database.ts'
import {
  completeTask,
  createFlow,
  failTask,
  startRun,
  takeTasks,
  workThrough,
} from './support/flows.ts'
import { messagesOf, snapshotOf, type Message } from './support/messages.ts'
import { install } from './support/migration.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())

async function messagesNamed(runId: string, event: string): Promise<Message[]> {
  return (await messagesOf(db, runId)).filter((message) => message.event === event)
}

describe('progress of a map step', () => {
  async function remainingTold(tasks: number) {
    const flow = await createFlow(db, [{ slug: 'each', map: true }])
    const runId = await startRun(
      db,
      flow,
      Array.from({ length: tasks }, (_, index) => index),
    )
    await workThrough(db, flow)
    expect(await messagesNamed(runId, 'each:completed')).toHaveLength(1)
    const progress = await messagesNamed(runId, 'each:progress')
    return progress.map((message) => message.payload.remaining_tasks)
  }

  it('is sent for each of a few tasks but the last, which is the completion', async () => {
    expect(await remainingTold(4)).toEqual([3, 2, 1])
    expect(await remainingTold(1)).toEqual([])
  })

  it('is sent at most 50 times with the completion, and evenly, whatever the number of tasks', async () => {
    expect(await remainingTold(50)).toHaveLength(49)
    expect(await remainingTold(51)).toHaveLength(49)
    const told = await remainingTold(230)
    expect(told).toHaveLength(49)
    expect(told.slice(0, 3)).toEqual([225, 220, 216])
    expect(told.at(-1)).toBe(4)
  })

  it('carries the counts and changes nothing else', async () => {
    const flow = await createFlow(db, [{ slug: 'each', map: true }])
    const runId = await startRun(db, flow, ['a', 'b'])
    const [task] = await takeTasks(db, flow)
    if (task) await completeTask(db, task, 1)
    expect((await messagesNamed(runId, 'each:progress'))[0]?.payload).toEqual({
      seq: 3,
      event_type: 'step:progress',
      run_id: runId,
      step_slug: 'each',
      status: 'started',
      initial_tasks: 2,
      remaining_tasks: 1,
    })
    expect((await snapshotOf(db, runId))?.steps[0]).toMatchObject({ remaining_tasks: 1 })
  })

  it('is not sent for a single step, nor for a task that is reported twice', async () => {
    const flow = await createFlow(db, [
      { slug: 'one' },
      { slug: 'each', after: ['one'], map: true },
    ])
    const runId = await startRun(db, flow)
    const [one] = await takeTasks(db, flow)
    if (one) await completeTask(db, one, [1, 2, 3])
    const [task] = await takeTasks(db, flow)
    if (task) await completeTask(db, task, 1)
    if (task) await completeTask(db, task, 1)
    expect(await messagesNamed(runId, 'one:progress')).toEqual([])
    expect(await messagesNamed(runId, 'each:progress')).toHaveLength(1)
  })
})

describe('a task that will be retried', () => {
  // As requeue_stalled_tasks() of newer pgflow does, which counts it in a column of its own.
  async function requeueStalledTasks(runId: string): Promise<void> {
    await db.exec(
      'alter table pgflow.step_tasks add column if not exists requeued_count int default 0',
    )
    await db.exec(install)
    await db.query(
      `update pgflow.step_tasks
       set status = 'queued', started_at = null, requeued_count = requeued_count + 1
       where run_id = $1 and status = 'started'`,
      [runId],
    )
  }

  it('is sent with its error, which is not the step’s', async () => {
    const flow = await createFlow(db, [{ slug: 'each', map: true, maxAttempts: 2 }])
    const runId = await startRun(db, flow, ['a', 'b'])
    const [, second] = await takeTasks(db, flow)
    if (second) await failTask(db, second, 'timed out')
    expect((await messagesNamed(runId, 'each:retrying'))[0]?.payload).toEqual({
      seq: 3,
      event_type: 'step:retrying',
      run_id: runId,
      step_slug: 'each',
      status: 'started',
      task_index: 1,
      attempts_count: 1,
      error_message: 'timed out',
    })
    expect((await snapshotOf(db, runId))?.steps[0]).toMatchObject({
      status: 'started',
      error_message: null,
    })
  })

  it('is not sent any more once its attempts are used up', async () => {
    const flow = await createFlow(db, [{ slug: 'only', maxAttempts: 2 }])
    const runId = await startRun(db, flow)
    for (const attempt of [1, 2]) {
      const [task] = await takeTasks(db, flow)
      if (task) await failTask(db, task, `attempt ${attempt}`)
    }
    expect((await messagesOf(db, runId)).map((message) => message.event)).toEqual([
      'run:started',
      'only:started',
      'only:retrying',
      'only:failed',
      'run:failed',
    ])
  })

  it('is sent when a stalled task is put back, as newer pgflow does', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow)
    await takeTasks(db, flow)
    await requeueStalledTasks(runId)
    expect(await messagesNamed(runId, 'only:retrying')).toMatchObject([
      { payload: { task_index: 0, attempts_count: 1, error_message: null } },
    ])
  })

  it('is sent for 50 tasks evenly, however many are put back; the snapshot has the one tried most', async () => {
    const flow = await createFlow(db, [{ slug: 'each', map: true, maxAttempts: 3 }])
    const input = Array.from({ length: 300 }, (_, index) => index)
    const runId = await startRun(db, flow, input)
    const tasks = await takeTasks(db, flow, 300)
    const [, second] = tasks
    if (second) await failTask(db, second, 'timed out')
    expect(await messagesNamed(runId, 'each:retrying')).toEqual([])
    expect((await snapshotOf(db, runId))?.steps[0]?.retry).toEqual({
      task_index: 1,
      attempts_count: 1,
      error_message: 'timed out',
    })
    await requeueStalledTasks(runId)
    const told = (await messagesNamed(runId, 'each:retrying')).map(
      ({ payload }) => payload.task_index,
    )
    expect(told).toHaveLength(50)
    expect(told.slice(0, 3)).toEqual([5, 11, 17])
  })

  it('shows in the snapshot only while it lasts', async () => {
    const flow = await createFlow(db, [{ slug: 'only', maxAttempts: 2 }])
    const runId = await startRun(db, flow)
    const retry = async () => (await snapshotOf(db, runId))?.steps[0]?.retry
    expect(await retry()).toBeNull()
    const [first] = await takeTasks(db, flow)
    if (first) await failTask(db, first, 'once')
    expect(await retry()).toMatchObject({ attempts_count: 1, error_message: 'once' })
    const [second] = await takeTasks(db, flow)
    // The attempt under way has not failed.
    expect(await retry()).toMatchObject({ attempts_count: 1 })
    if (second) await completeTask(db, second, 'done')
    expect(await retry()).toBeNull()
  })
})

describe('a skipped step', () => {
  it('is sent as pgflow 0.14 writes it, with the reason [F10]', async () => {
    // The columns and the status that this pgflow does not have yet.
    await db.exec(`
      alter table pgflow.step_states add column skip_reason text, add column skipped_at timestamptz,
        drop constraint status_is_valid;
    `)
    const flow = await createFlow(db, [{ slug: 'a' }, { slug: 'b', after: ['a'] }])
    const runId = await startRun(db, flow)
    await db.query(
      `with skipped as (
         update pgflow.step_states set status = 'skipped', skip_reason = 'condition_unmet',
           skipped_at = now() where run_id = $1 and step_slug = 'b' returning run_id
       )
       update pgflow.runs set remaining_steps = remaining_steps - 1
       where run_id in (select run_id from skipped)`,
      [runId],
    )
    const snapshot = await snapshotOf(db, runId)
    const [message] = await messagesNamed(runId, 'b:skipped')
    expect(message?.payload).toEqual({
      seq: 3,
      event_type: 'step:skipped',
      run_id: runId,
      step_slug: 'b',
      status: 'skipped',
      skip_reason: 'condition_unmet',
      skipped_at: snapshot?.steps[1]?.skipped_at,
      remaining_steps: 1,
      output: null,
      error_message: null,
      initial_tasks: 1,
      started_at: null,
      completed_at: null,
      failed_at: null,
    })
    expect(snapshot?.steps[1]).toMatchObject({ status: 'skipped', skip_reason: 'condition_unmet' })
  })
})

describe('the names of pgflow’s own broadcasts', () => {
  it('come with everything that pgflow sends under them', async () => {
    const run = async (on: TestDatabase) => {
      const flow = await createFlow(on, [
        { slug: 'list' },
        { slug: 'each', after: ['list'], map: true },
        { slug: 'none', map: true },
        { slug: 'fails', after: ['each'] },
      ])
      const runId = await startRun(on, flow, [])
      for (const output of [[1, 2], 'x']) {
        for (const task of await takeTasks(on, flow)) await completeTask(on, task, output)
      }
      for (const task of await takeTasks(on, flow)) await failTask(on, task, 'broken')
      return messagesOf(on, runId)
    }
    const plain = await openTestDatabase('pgflow')
    const own = await run(plain)
    await plain.close()
    await db.exec(`select pgflow_realtime.set_step_event_prefix('step:')`)
    const ours = await run(db)
    await db.exec(`select pgflow_realtime.set_step_event_prefix('')`)

    expect(own.length).toBeGreaterThan(8)
    for (const { event, payload } of own) {
      const same = ours.filter((message) => message.event === event)
      expect(same, event).toHaveLength(1)
      expect(Object.keys(same[0]?.payload ?? {}), event).toEqual(
        expect.arrayContaining(Object.keys(payload)),
      )
    }
    const extra = ours
      .map(({ event }) => event)
      .filter((e) => !own.some(({ event }) => event === e))
    expect(extra).toEqual(['step:each:progress'])
  })
})

describe('a setting', () => {
  it.each([
    [`set_step_event_prefix('task:')`, `step_event_prefix cannot be 'task:'.`],
    ['set_step_event_prefix(null)', 'step_event_prefix cannot be null.'],
    [`set_visibility('secret')`, `visibility cannot be 'secret'.`],
    ['set_visibility(null)', 'visibility cannot be null.'],
    ['set_max_payload_bytes(0)', 'max_payload_bytes cannot be 0.'],
    ['set_max_payload_bytes(4000000)', 'max_payload_bytes cannot be 4000000.'],
    ['set_max_payload_bytes(null)', 'max_payload_bytes cannot be null.'],
    ['set_max_input_bytes(1)', 'max_input_bytes cannot be 1.'],
  ])('refuses what it cannot be: %s', async (call, message) => {
    await expect(db.query(`select pgflow_realtime.${call}`)).rejects.toMatchObject({
      code: '22023',
      message,
      hint: expect.stringMatching(/^Set it/) as string,
    })
  })

  it('takes effect with the next broadcast', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    await db.exec('select pgflow_realtime.set_max_payload_bytes(1000)')
    const runId = await startRun(db, flow, 'x'.repeat(1000))
    await db.exec('select pgflow_realtime.set_max_payload_bytes(200000)')
    expect((await messagesOf(db, runId))[0]?.payload).toMatchObject({ truncated: ['input'] })
  })
})
