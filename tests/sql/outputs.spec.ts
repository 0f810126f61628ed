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
import { eventsOf, messagesOf, snapshotOf } from './support/messages.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())

async function payloadOf(runId: string, event: string) {
  const found = (await messagesOf(db, runId)).filter((message) => message.event === event)
  expect(found).toHaveLength(1)
  return found[0]?.payload ?? {}
}

describe('the output of a step', () => {
  const outputs = [null, false, 0, '', '42', [], {}, 'text with "quotes" and ünïcödé 🎉']
  it.each(outputs.map((output) => ({ output })))(
    'is told as the worker gave it: $output',
    async ({ output }) => {
      const flow = await createFlow(db, [{ slug: 'only' }])
      const runId = await startRun(db, flow)
      await workThrough(db, flow, () => output)
      expect((await payloadOf(runId, 'only:completed')).output).toEqual(output)
      expect((await payloadOf(runId, 'run:completed')).output).toEqual({ only: output })
      const snapshot = await snapshotOf(db, runId)
      expect(snapshot?.steps[0]).toHaveProperty('output', output)
      expect(snapshot?.run).toHaveProperty('output', { only: output })
    },
  )

  it('of a map step is the array of its tasks, in order of their index', async () => {
    const flow = await createFlow(db, [{ slug: 'each', map: true }])
    const runId = await startRun(db, flow, ['a', 'b', 'c'])
    const tasks = await takeTasks(db, flow)
    for (const task of tasks.toReversed()) await completeTask(db, task, task.task_index * 10)
    expect(await eventsOf(db, runId)).toEqual([
      'run:started',
      'each:started',
      'each:progress',
      'each:progress',
      'each:completed',
      'run:completed',
    ])
    expect(await payloadOf(runId, 'each:started')).toMatchObject({ initial_tasks: 3 })
    expect(await payloadOf(runId, 'each:completed')).toMatchObject({ output: [0, 10, 20] })
    expect((await snapshotOf(db, runId))?.steps[0]).toMatchObject({ output: [0, 10, 20] })
  })

  it('of a map over nothing is an empty array, and its steps complete without starting', async () => {
    const flow = await createFlow(db, [
      { slug: 'each', map: true },
      { slug: 'then', after: ['each'], map: true },
      { slug: 'last', after: ['then'] },
    ])
    const runId = await startRun(db, flow, [])
    expect(await eventsOf(db, runId)).toEqual([
      'run:started',
      'each:completed',
      'then:completed',
      'last:started',
    ])
    expect(await payloadOf(runId, 'each:completed')).toMatchObject({
      output: [],
      initial_tasks: 0,
      started_at: (await snapshotOf(db, runId))?.steps[0]?.started_at,
    })
    await workThrough(db, flow, () => 'done')
    expect((await eventsOf(db, runId)).slice(4)).toEqual(['last:completed', 'run:completed'])
  })

  it('of a step that is not completed is null, even where pgflow kept what failed', async () => {
    const flow = await createFlow(db, [
      { slug: 'list' },
      { slug: 'each', after: ['list'], map: true },
    ])
    const runId = await startRun(db, flow)
    const [task] = await takeTasks(db, flow)
    if (task) await completeTask(db, task, { not: 'an array' })
    const steps = (await snapshotOf(db, runId))?.steps
    expect(steps?.map((step) => step.output)).toEqual([null, null])
  })

  it('is read from the step where pgflow keeps it there', async () => {
    const [row] = await db.query<{ output: unknown }>(
      `select pgflow_realtime.step_output('{"status": "completed", "output": [1]}') as output`,
    )
    expect(row?.output).toEqual([1])
  })
})

describe('a payload over the limit', () => {
  const large = 'x'.repeat(250_000)

  it('leaves out the output and names it; the snapshot still has it [F15]', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow)
    await workThrough(db, flow, () => large)
    for (const event of ['only:completed', 'run:completed']) {
      const payload = await payloadOf(runId, event)
      expect(payload).toMatchObject({ truncated: ['output'], status: 'completed' })
      expect(payload).not.toHaveProperty('output')
    }
    expect((await snapshotOf(db, runId))?.steps[0]).toMatchObject({ output: large })
  })

  it('leaves out the input of run:started', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow, { large })
    const payload = await payloadOf(runId, 'run:started')
    expect(payload).toMatchObject({ truncated: ['input'], flow_slug: flow, remaining_steps: 1 })
    expect(payload).not.toHaveProperty('input')
  })

  it('leaves out even an error message, rather than be dropped whole', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow)
    const [task] = await takeTasks(db, flow)
    if (task) await failTask(db, task, large)
    for (const event of ['only:failed', 'run:failed']) {
      expect(await payloadOf(runId, event)).toMatchObject({ truncated: ['error_message'] })
    }
    expect((await snapshotOf(db, runId))?.run).toMatchObject({ error_message: large })
  })

  it('is measured in bytes, not in characters', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow)
    await workThrough(db, flow, () => 'é'.repeat(120_000))
    expect(await payloadOf(runId, 'only:completed')).toMatchObject({ truncated: ['output'] })
  })

  it('is whole up to the limit', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow)
    await workThrough(db, flow, () => 'x'.repeat(190_000))
    expect(await payloadOf(runId, 'only:completed')).not.toHaveProperty('truncated')
  })
})
