import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDatabase, type Queryable, type TestDatabase } from './support/database.ts'
import { createFlow, startRun, workThrough } from './support/flows.ts'
import { messagesOf } from './support/messages.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
  await db.exec(`set track_functions = 'all'`)
})
afterAll(() => db.close())

/**
 * How often each function of ours, and realtime.send, is called by `work`. A setting is called when
 * a statement is planned, for the first event of a session, and not counted.
 */
async function callsOf(tx: Queryable, work: () => Promise<void>): Promise<Record<string, number>> {
  const read = async () => {
    const rows = await tx.query<{ name: string; calls: number }>(
      `select schemaname || '.' || funcname as name, calls::int
       from pg_stat_xact_user_functions join pg_proc as proc on proc.oid = funcid
       where schemaname in ('pgflow_realtime', 'realtime')
         and funcname <> 'stand_in_announce'
         and not (proc.provolatile = 'i' and proc.pronargs = 0)`,
    )
    return new Map(rows.map(({ name, calls }) => [name, calls]))
  }
  const before = await read()
  await work()
  const after = await read()
  return Object.fromEntries(
    [...after]
      .map(([name, calls]) => [name, calls - (before.get(name) ?? 0)] as const)
      .filter(([, calls]) => calls > 0),
  )
}

/** Rows of our tables and of Realtime's that `work` writes. */
async function writesOf(tx: Queryable, work: () => Promise<void>) {
  const read = async () => {
    const [row] = await tx.query<{ updated: number; inserted: number; sent: number }>(
      `select
         sum(n_tup_upd) filter (where relname = 'run_seq')::int as updated,
         sum(n_tup_ins) filter (where relname = 'run_seq')::int as inserted,
         sum(n_tup_ins) filter (where relname like 'messages_2%')::int as sent
       from pg_stat_xact_all_tables`,
    )
    return row
  }
  const before = await read()
  await work()
  const after = await read()
  return {
    updated: (after?.updated ?? 0) - (before?.updated ?? 0),
    inserted: (after?.inserted ?? 0) - (before?.inserted ?? 0),
    sent: (after?.sent ?? 0) - (before?.sent ?? 0),
  }
}

// What an event costs is these calls and rows; a clock would tell the same less surely.
describe('a chain of 20 steps', () => {
  const chain = () =>
    createFlow(
      db,
      Array.from({ length: 20 }, (_, index) => ({
        slug: `s${index}`,
        after: index === 0 ? [] : [`s${index - 1}`],
      })),
    )

  it('calls one function of ours and realtime.send for each event of a step', async () => {
    const flow = await chain()
    await db.transaction(async (tx) => {
      const runId = await startRun(tx, flow)
      const calls = await callsOf(tx, () => workThrough(tx, flow))
      // The first step started with the run; the run ends when the transaction does.
      expect(calls).toEqual({
        'pgflow_realtime.on_step_update': 39,
        'realtime.send': 39,
      })
      expect(await messagesOf(tx, runId)).toHaveLength(41)
    })
  })

  it('calls few more for the start and the end of the run', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    await db.transaction(async (tx) => {
      const calls = await callsOf(tx, async () => {
        await startRun(tx, flow)
        await workThrough(tx, flow)
        await tx.exec('set constraints all immediate')
      })
      const total = Object.values(calls).reduce((sum, count) => sum + count, 0)
      expect(calls['realtime.send']).toBe(4)
      expect(total, JSON.stringify(calls)).toBeLessThanOrEqual(18)
    })
  })

  it('writes one row for each event, and counts it in place', async () => {
    const flow = await chain()
    await db.transaction(async (tx) => {
      const writes = await writesOf(tx, async () => {
        await startRun(tx, flow)
        await workThrough(tx, flow)
      })
      expect(writes).toEqual({ updated: 40, inserted: 1, sent: 41 })
    })
  })
})

describe('a map', () => {
  it('calls our function for each task, and more only for a fiftieth of them', async () => {
    const flow = await createFlow(db, [{ slug: 'each', map: true }])
    await db.transaction(async (tx) => {
      await startRun(
        tx,
        flow,
        Array.from({ length: 300 }, (_, index) => index),
      )
      const calls = await callsOf(tx, () => workThrough(tx, flow))
      expect(calls).toMatchObject({ 'pgflow_realtime.on_step_update': 300, 'realtime.send': 50 })
      // The completion goes the long way, as its output can be large.
      const total = Object.values(calls).reduce((sum, count) => sum + count, 0)
      expect(total, JSON.stringify(calls)).toBeLessThanOrEqual(360)
    })
  })
})

describe('a change that is no event', () => {
  it('calls nothing: a task that starts, a step that waits for one less, a run that counts', async () => {
    const flow = await createFlow(db, [{ slug: 'a' }, { slug: 'b', after: ['a'] }])
    await db.transaction(async (tx) => {
      const runId = await startRun(tx, flow)
      const calls = await callsOf(tx, async () => {
        for (const statement of [
          `update pgflow.step_tasks set status = 'started', started_at = now(), attempts_count = 1`,
          'update pgflow.step_states set remaining_deps = remaining_deps',
          'update pgflow.runs set remaining_steps = remaining_steps',
        ]) {
          await tx.query(`${statement} where run_id = $1`, [runId])
        }
      })
      expect(calls).toEqual({})
    })
  })
})
