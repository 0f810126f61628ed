import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { nativePort, openConcurrentDatabase, type Queryable } from './support/database.ts'
import { completeTask, createFlow, startRun, takeTasks } from './support/flows.ts'
import { eventsOf, messagesOf, type Snapshot } from './support/messages.ts'
import { install } from './support/migration.ts'
import type { NativeDatabase, Session } from './support/native/session.ts'

// PGlite has one session: on it these would wait for themselves.
describe.runIf(nativePort)('two sessions at once', () => {
  let db: NativeDatabase
  let other: Session
  let flow: string
  beforeAll(async () => {
    db = await openConcurrentDatabase()
    other = await db.connect()
  })
  beforeEach(async () => {
    flow = await createFlow(db, [{ slug: 'a' }, { slug: 'b' }])
  })
  afterAll(async () => {
    await other.close()
    await db.close()
  })

  const start = (on: Queryable, runId: string, input = '{}') =>
    on.query<Snapshot>(
      'select run, steps, seq::float8 from pgflow_client.start_flow_with_states($1, $2::jsonb, $3)',
      [flow, input, runId],
    )

  /** Resolves once the other session waits for a lock that a transaction here holds. */
  async function otherWaits(tx: Queryable): Promise<void> {
    for (;;) {
      const waiting = await tx.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      if (waiting.length > 0) return
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  it('that start the same run get the same run', async () => {
    const runId = randomUUID()
    let second: Promise<Snapshot[]> | undefined
    const first = await db.transaction(async (tx) => {
      const rows = await start(tx, runId)
      second = start(other, runId)
      await otherWaits(tx)
      return rows
    })
    expect(await second).toEqual(first)
    expect(await messagesOf(db, runId)).toHaveLength(3)
  })

  it('that start two runs with one id: the later one fails', async () => {
    const runId = randomUUID()
    let second: Promise<unknown> | undefined
    await db.transaction(async (tx) => {
      await start(tx, runId, '{"first": true}')
      second = start(other, runId, '{"second": true}').catch((error: unknown) => error)
      await otherWaits(tx)
    })
    expect(await second).toMatchObject({ code: 'PT409' })
    expect(await messagesOf(db, runId)).toHaveLength(3)
  })

  it('that start the same run, the first of which rolls back: the second starts it', async () => {
    const runId = randomUUID()
    let second: Promise<Snapshot[]> | undefined
    const first = db.transaction(async (tx) => {
      await start(tx, runId)
      second = start(other, runId)
      await otherWaits(tx)
      throw new Error('rolled back')
    })
    await expect(first).rejects.toThrow('rolled back')
    expect(await second).toMatchObject([{ run: { run_id: runId }, seq: 3 }])
    expect(await messagesOf(db, runId)).toHaveLength(3)
  })

  it('that complete two steps of a run count in the order they commit', async () => {
    const runId = await startRun(db, flow)
    const [a, b] = await takeTasks(db, flow)
    if (!a || !b) throw new Error('two tasks should wait')
    let second: Promise<void> | undefined
    await db.transaction(async (tx) => {
      await completeTask(tx, a, 1)
      second = completeTask(other, b, 2)
      await otherWaits(tx)
    })
    await second
    const messages = await messagesOf(db, runId)
    expect(messages.map((message) => [message.payload.seq, message.event])).toEqual([
      [1, 'run:started'],
      [2, 'a:started'],
      [3, 'b:started'],
      [4, 'a:completed'],
      [5, 'b:completed'],
      [6, 'run:completed'],
    ])
  })

  it('never wait for a run to send that a stalled task was retried', async () => {
    await db.exec('alter table pgflow.step_tasks add column requeued_count int default 0')
    await db.exec(install)
    const [busy, idle] = [await startRun(db, flow), await startRun(db, flow)]
    await takeTasks(db, flow)
    await db.transaction(async (tx) => {
      await tx.query('select from pgflow.runs where run_id = $1 for update', [busy])
      // As requeue_stalled_tasks() of newer pgflow does: tasks of many runs, no lock on any run.
      await other.query(
        `update pgflow.step_tasks
         set status = 'queued', started_at = null, requeued_count = requeued_count + 1
         where run_id = any ($1::uuid[])`,
        [[busy, idle]],
      )
    })
    expect((await eventsOf(db, idle)).slice(3).sort()).toEqual(['a:retrying', 'b:retrying'])
    expect((await eventsOf(db, busy)).slice(3)).toEqual([])
  })
})
