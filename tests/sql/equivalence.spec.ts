import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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
import { applyMessage, projectionOf, type Projection } from './support/projection.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())

/** A client that heard every broadcast after its first snapshot, and checks itself against others. */
async function follow(runId: string) {
  const first = await snapshotOf(db, runId)
  if (!first) throw new Error(`no run ${runId}`)
  let known: Projection = projectionOf(first)
  let seq = first.seq
  return {
    async check(): Promise<void> {
      const messages = await messagesOf(db, runId)
      expect(messages.map((message) => message.payload.seq)).toEqual(
        messages.map((_, index) => index + 1),
      )
      for (const message of messages.slice(seq)) known = applyMessage(known, message)
      seq = messages.length
      const snapshot = await snapshotOf(db, runId)
      if (!snapshot) throw new Error(`run ${runId} is gone`)
      expect(snapshot.seq).toBe(seq)
      expect(known).toEqual(projectionOf(snapshot))
    },
  }
}

describe('the first snapshot and every event after it return what a later snapshot returns', () => {
  const answer = fc.record({
    pick: fc.nat(),
    kind: fc.constantFrom('complete', 'complete', 'complete', 'complete', 'fail', 'again'),
    output: fc.constantFrom<unknown>([1, 2], [], 'text', null),
  })

  it('whatever the workers report, in whatever order', async () => {
    const flow = await createFlow(db, [
      { slug: 'list', maxAttempts: 2 },
      { slug: 'each', after: ['list'], map: true, maxAttempts: 2 },
      { slug: 'again', after: ['each'], map: true },
      { slug: 'beside', maxAttempts: 3 },
      { slug: 'join', after: ['again', 'beside'] },
    ])
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 5, maxLength: 25 }), async (answers) => {
        const runId = await startRun(db, flow)
        const client = await follow(runId)
        const taken: Task[] = []
        for (const { pick, kind, output } of answers) {
          taken.push(...(await takeTasks(db, flow)).filter((task) => task.run_id === runId))
          const task = taken[pick % taken.length]
          if (!task) break
          if (kind === 'fail') await failTask(db, task, `failed with ${JSON.stringify(output)}`)
          else await completeTask(db, task, output)
          if (kind !== 'again') taken.splice(taken.indexOf(task), 1)
          await client.check()
        }
      }),
      { numRuns: 40 },
    )
  })

  // pgflow guards a failed run without locking it: a worker that answers at the same moment writes
  // a step or run again that has already ended. These are the rows such a race leaves behind.
  it.each([
    ['a failed step is started again', `update pgflow.step_states set status = 'started'`],
    [
      'the failure of a step is wiped',
      'update pgflow.step_states set failed_at = null, error_message = null',
    ],
    ['the failure of a run is wiped', 'update pgflow.runs set failed_at = null'],
    ['a run fails a second time', `update pgflow.runs set failed_at = failed_at + interval '1 s'`],
    [
      'a run is started again by hand',
      `update pgflow.runs set status = 'started', failed_at = null`,
    ],
    [
      'a step is reset by hand',
      `update pgflow.step_states
       set status = 'created', started_at = null, failed_at = null, remaining_tasks = null`,
    ],
  ])('even when %s', async (_name, statement) => {
    const flow = await createFlow(db, [{ slug: 'each', map: true }])
    const runId = await startRun(db, flow, [1, 2])
    const client = await follow(runId)
    const [task] = await takeTasks(db, flow)
    if (task) await failTask(db, task, 'broken')
    await client.check()
    await db.query(`${statement} where run_id = $1`, [runId])
    await client.check()
  })
})

describe('a broadcast that cannot be sent', () => {
  it('never fails the flow, and shows as a gap', async () => {
    const flow = await createFlow(db, [{ slug: 'a' }, { slug: 'b', after: ['a'] }])
    const runId = await startRun(db, flow)
    const [first] = await takeTasks(db, flow)
    await db.exec('alter table realtime.messages rename to messages_gone')
    if (first) await completeTask(db, first, 1)
    await db.exec('alter table realtime.messages_gone rename to messages')
    const [second] = await takeTasks(db, flow)
    if (second) await completeTask(db, second, 2)
    expect((await messagesOf(db, runId)).map(({ payload }) => payload.seq)).toEqual([1, 2, 5, 6])
    expect(await snapshotOf(db, runId)).toMatchObject({ run: { status: 'completed' }, seq: 6 })
  })

  it('never fails the flow even if realtime.send itself raises', async () => {
    const flow = await createFlow(db, [{ slug: 'a' }])
    await db.exec('alter function realtime.send(jsonb, text, text, boolean) rename to send_gone')
    const runId = await startRun(db, flow)
    const [task] = await takeTasks(db, flow)
    if (task) await failTask(db, task, 'broken')
    await db.exec('alter function realtime.send_gone(jsonb, text, text, boolean) rename to send')
    expect(await messagesOf(db, runId)).toEqual([])
    expect(await snapshotOf(db, runId)).toMatchObject({
      run: { status: 'failed', error_message: 'broken' },
      seq: 4,
    })
  })
})
