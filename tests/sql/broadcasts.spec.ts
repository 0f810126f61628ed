import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from './support/database.ts'
import { completeTask, createFlow, failTask, startRun, takeTasks } from './support/flows.ts'
import { eventsOf, messagesOf, snapshotOf } from './support/messages.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())

const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$/) as string

describe('each change is one message on the channel of its run', () => {
  it('sends a run and its first steps when it starts', async () => {
    const flow = await createFlow(db, [{ slug: 'fetch' }, { slug: 'store', after: ['fetch'] }])
    const runId = await startRun(db, flow, { url: 'https://example.org' })
    expect(await messagesOf(db, runId)).toEqual([
      {
        topic: `pgflow:run:${runId}`,
        event: 'run:started',
        private: false,
        payload: {
          seq: 1,
          event_type: 'run:started',
          run_id: runId,
          status: 'started',
          flow_slug: flow,
          input: { url: 'https://example.org' },
          remaining_steps: 2,
          started_at: instant,
        },
      },
      {
        topic: `pgflow:run:${runId}`,
        event: 'fetch:started',
        private: false,
        payload: {
          seq: 2,
          event_type: 'step:started',
          run_id: runId,
          status: 'started',
          step_slug: 'fetch',
          started_at: instant,
          initial_tasks: 1,
        },
      },
    ])
  })

  it('sends the completion of a step, the start of the next, and the end of the run last', async () => {
    const flow = await createFlow(db, [{ slug: 'fetch' }, { slug: 'store', after: ['fetch'] }])
    const runId = await startRun(db, flow)
    for (const output of [{ title: 'x' }, 'stored']) {
      const [task] = await takeTasks(db, flow)
      if (task) await completeTask(db, task, output)
    }
    const messages = await messagesOf(db, runId)
    expect(messages.slice(2)).toMatchObject([
      { event: 'fetch:completed', payload: { seq: 3 } },
      { event: 'store:started', payload: { seq: 4 } },
      { event: 'store:completed', payload: { seq: 5 } },
      { event: 'run:completed', payload: { seq: 6 } },
    ])
    expect(messages[2]?.payload).toEqual({
      seq: 3,
      event_type: 'step:completed',
      run_id: runId,
      status: 'completed',
      step_slug: 'fetch',
      output: { title: 'x' },
      remaining_steps: 1,
      completed_at: instant,
    })
    expect(messages[5]?.payload).toEqual({
      seq: 6,
      event_type: 'run:completed',
      run_id: runId,
      status: 'completed',
      flow_slug: flow,
      output: { store: 'stored' },
      completed_at: instant,
    })
  })

  it('sends the failure of a step and then of its run, with the same message', async () => {
    const flow = await createFlow(db, [{ slug: 'fetch' }])
    const runId = await startRun(db, flow)
    const [task] = await takeTasks(db, flow)
    if (task) await failTask(db, task, 'the server said no')
    const messages = await messagesOf(db, runId)
    expect(messages.slice(2).map((message) => message.event)).toEqual([
      'fetch:failed',
      'run:failed',
    ])
    expect(messages[2]?.payload).toEqual({
      seq: 3,
      event_type: 'step:failed',
      run_id: runId,
      status: 'failed',
      step_slug: 'fetch',
      error_message: 'the server said no',
      failed_at: instant,
    })
    expect(messages[3]?.payload).toEqual({
      seq: 4,
      event_type: 'run:failed',
      run_id: runId,
      flow_slug: flow,
      status: 'failed',
      error_message: 'the server said no',
      failed_at: instant,
      remaining_steps: 1,
    })
  })

  it('sends the stored times, not the time of sending', async () => {
    const flow = await createFlow(db, [{ slug: 'fetch' }])
    const runId = await startRun(db, flow)
    const [task] = await takeTasks(db, flow)
    if (task) await completeTask(db, task, 1)
    const snapshot = await snapshotOf(db, runId)
    const [started, stepStarted, completed, ended] = await messagesOf(db, runId)
    expect(started?.payload.started_at).toBe(snapshot?.run.started_at)
    expect(stepStarted?.payload.started_at).toBe(snapshot?.steps[0]?.started_at)
    expect(completed?.payload.completed_at).toBe(snapshot?.steps[0]?.completed_at)
    expect(ended?.payload.completed_at).toBe(snapshot?.run.completed_at)
  })

  it('writes one instant as one text, whatever the time zone of the session', async () => {
    const flow = await createFlow(db, [{ slug: 'fetch' }])
    await db.exec(`set timezone = 'Asia/Kolkata'`)
    const runId = await startRun(db, flow)
    const there = await snapshotOf(db, runId)
    await db.exec(`set timezone = 'America/New_York'`)
    expect(await snapshotOf(db, runId)).toEqual(there)
    await db.exec('reset timezone')
    expect(await snapshotOf(db, runId)).toEqual(there)
    expect((await messagesOf(db, runId))[0]?.payload.started_at).toBe(there?.run.started_at)
  })
})

describe('what has not happened is not sent', () => {
  it('sends no failure for a task that will be retried, and sends its recovery once', async () => {
    const flow = await createFlow(db, [{ slug: 'fetch', maxAttempts: 3 }])
    const runId = await startRun(db, flow)
    for (const attempt of [1, 2]) {
      const [task] = await takeTasks(db, flow)
      if (task) await failTask(db, task, `attempt ${attempt}`)
    }
    const [task] = await takeTasks(db, flow)
    if (task) await completeTask(db, task, 'third time lucky')
    expect((await eventsOf(db, runId)).slice(2)).toEqual([
      'fetch:retrying',
      'fetch:retrying',
      'fetch:completed',
      'run:completed',
    ])
  })

  it('sends nothing for a transaction that rolls back, and counts nothing either', async () => {
    const flow = await createFlow(db, [{ slug: 'fetch' }])
    const runId = await startRun(db, flow)
    const [task] = await takeTasks(db, flow)
    const rolledBack = db.transaction(async (tx) => {
      if (task) await completeTask(tx, task, 'lost')
      throw new Error('changed my mind')
    })
    await expect(rolledBack).rejects.toThrow('changed my mind')
    expect(await eventsOf(db, runId)).toEqual(['run:started', 'fetch:started'])
    if (task) await completeTask(db, task, 'kept')
    expect((await messagesOf(db, runId)).map(({ payload }) => payload.seq)).toEqual([1, 2, 3, 4])
  })

  it('sends nothing for a late or repeated result of a worker', async () => {
    const flow = await createFlow(db, [{ slug: 'fetch' }, { slug: 'store', after: ['fetch'] }])
    const runId = await startRun(db, flow)
    const [task] = await takeTasks(db, flow)
    if (!task) throw new Error('no task was taken')
    await completeTask(db, task, 'first')
    const before = await messagesOf(db, runId)
    await completeTask(db, task, 'second')
    await failTask(db, task, 'too late')
    expect(await messagesOf(db, runId)).toEqual(before)
  })
})

describe('the end of a run comes last', () => {
  it('sends the step before the run where pgflow fails the run first', async () => {
    const flow = await createFlow(db, [
      { slug: 'list' },
      { slug: 'each', after: ['list'], map: true },
    ])
    const runId = await startRun(db, flow)
    const [task] = await takeTasks(db, flow)
    if (task) await completeTask(db, task, 'not an array')
    const messages = await messagesOf(db, runId)
    expect(messages.slice(2)).toMatchObject([
      { event: 'list:failed', payload: { seq: 3 } },
      { event: 'run:failed', payload: { seq: 4 } },
    ])
    const message = messages[2]?.payload.error_message
    expect(message).toContain('expects array input')
    expect(messages[3]?.payload.error_message).toBe(message)
    expect((await snapshotOf(db, runId))?.run.error_message).toBe(message)
  })

  it('comes after everything else, even when much happens in one transaction', async () => {
    const flow = await createFlow(db, [{ slug: 'a' }, { slug: 'b' }])
    const runId = await startRun(db, flow)
    await db.transaction(async (tx) => {
      for (const task of await takeTasks(tx, flow)) await completeTask(tx, task, task.step_slug)
    })
    expect((await eventsOf(db, runId)).slice(3)).toEqual([
      'a:completed',
      'b:completed',
      'run:completed',
    ])
  })

  it('is not sent for a run that was deleted in the same transaction', async () => {
    const flow = await createFlow(db, [{ slug: 'a' }])
    const runId = await startRun(db, flow)
    await db.transaction(async (tx) => {
      for (const task of await takeTasks(tx, flow)) await failTask(tx, task, 'gone')
      for (const table of ['step_tasks', 'step_states', 'runs']) {
        await tx.query(`delete from pgflow.${table} where run_id = $1`, [runId])
      }
    })
    expect(await eventsOf(db, runId)).toEqual(['run:started', 'a:started', 'a:failed'])
    expect(
      await db.query('select from pgflow_realtime.run_seq where run_id = $1', [runId]),
    ).toEqual([])
  })
})
