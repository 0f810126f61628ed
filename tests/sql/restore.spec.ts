import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from './support/database.ts'
import { createFlow, startRun, takeTasks, workThrough } from './support/flows.ts'
import { messagesOf, snapshotOf } from './support/messages.ts'

let db: TestDatabase
let flow: string
beforeEach(async () => {
  db = await openTestDatabase()
  flow = await createFlow(db, [{ slug: 'a' }, { slug: 'b', after: ['a'] }])
  await db.exec(`set request.jwt.claims = '{"sub": "anna"}'`)
})
afterEach(() => db.close())

async function kept() {
  const [row] = await db.query(`select
    (select count(*)::int from pgflow_realtime.run_seq) as counted,
    (select count(*)::int from pgflow_realtime.run_owners) as owned`)
  return row
}

describe('emptying pgflow’s tables', () => {
  it('works as without pinia-pgflow, and leaves nothing of it', async () => {
    await startRun(db, flow)
    await startRun(db, flow)
    expect(await kept()).toEqual({ counted: 2, owned: 2 })
    await db.exec('truncate pgflow.runs, pgflow.step_states, pgflow.step_tasks')
    expect(await kept()).toEqual({ counted: 0, owned: 0 })
    const runId = await startRun(db, flow)
    expect((await messagesOf(db, runId)).map(({ payload }) => payload.seq)).toEqual([1, 2])
  })
})

describe('a backup of the data', () => {
  const tables = [
    ...['pgflow.runs', 'pgflow.step_states', 'pgflow.step_tasks'],
    ...['pgflow_realtime.run_seq', 'pgflow_realtime.run_owners'],
  ]

  /** As pg_dump writes data: one COPY a table, here to a file of the server. */
  const copy = async (direction: 'to' | 'from', order: readonly string[]) => {
    for (const table of order) {
      await db.exec(`copy ${table} ${direction} '/tmp/pinia-pgflow-${process.pid}-${table}'`)
    }
  }

  it.each([
    ['runs first', tables],
    ['counters first', tables.toReversed()],
  ])('is restored with triggers enabled, %s, and sends nothing', async (_name, order) => {
    const ended = await startRun(db, flow)
    await workThrough(db, flow)
    const running = await startRun(db, flow)
    const before = [await snapshotOf(db, ended), await snapshotOf(db, running)]
    await copy('to', tables)
    await db.exec('truncate pgflow.runs, pgflow.step_states, pgflow.step_tasks')
    const sent = await db.query('select from realtime.messages')

    // pgflow's own keys ask for this order among its tables.
    const ours = order.filter((table) => table.startsWith('pgflow_realtime'))
    const theirs = tables.filter((table) => !ours.includes(table))
    await copy('from', order === tables ? [...theirs, ...ours] : [...ours, ...theirs])

    expect(await db.query('select from realtime.messages')).toHaveLength(sent.length)
    expect([await snapshotOf(db, ended), await snapshotOf(db, running)]).toEqual(before)
    expect(await kept()).toEqual({ counted: 2, owned: 2 })
    await workThrough(db, flow)
    expect(await snapshotOf(db, running)).toMatchObject({ run: { status: 'completed' } })
  })

  it('may be of inserts, which count before the counters come', async () => {
    const runId = await startRun(db, flow)
    await db.exec(`
      create temp table runs_kept as table pgflow.runs;
      create temp table counters_kept as table pgflow_realtime.run_seq;
      truncate pgflow.runs, pgflow.step_states, pgflow.step_tasks;
      insert into pgflow.runs select * from runs_kept;
      insert into pgflow_realtime.run_seq select * from counters_kept;
    `)
    expect(await db.query('select seq::int from pgflow_realtime.run_seq')).toEqual([{ seq: 2 }])
    expect((await messagesOf(db, runId)).at(-1)?.payload.seq).toBe(1)
  })

  it('without the counters lets each run continue above every seq it had', async () => {
    const runId = await startRun(db, flow)
    await takeTasks(db, flow)
    await db.exec('delete from pgflow_realtime.run_seq')
    const lost = (await snapshotOf(db, runId))?.seq ?? 0
    const seqs = async () => {
      const [row] = await db.query<{ seqs: Record<string, number> }>(
        'select pgflow_client.get_run_seqs(array[$1::uuid]) as seqs',
        [runId],
      )
      return row?.seqs[runId]
    }
    expect(await seqs()).toBe(lost)
    await db.query(`select pgflow.complete_task($1, 'a', 0, '1')`, [runId])
    const told = (await messagesOf(db, runId)).map(({ payload }) => Number(payload.seq))
    expect(told.slice(0, 2)).toEqual([1, 2])
    expect(told[2]).toBeGreaterThan(lost + 1)
    expect(told[3]).toBe((told[2] ?? 0) + 1)
    expect(Number.isSafeInteger(told[3])).toBe(true)
    expect(await seqs()).toBe(told[3])
  })
})

describe('a dump without data', () => {
  it('has every setting, since they are functions', async () => {
    await db.exec('select pgflow_realtime.set_max_payload_bytes(1000)')
    const tables = await db.query<{ name: string }>(
      `select oid::regclass::text as name from pg_class
       where relnamespace = 'pgflow_realtime'::regnamespace and relkind = 'r'`,
    )
    await db.exec(tables.map(({ name }) => `truncate ${name};`).join(''))
    const runId = await startRun(db, flow, 'x'.repeat(2000))
    expect((await messagesOf(db, runId))[0]?.payload).toMatchObject({ truncated: ['input'] })
    const [row] = await db.query<{ status: unknown }>('select pgflow_realtime.status() as status')
    expect(row?.status).toMatchObject({ settings: { max_payload_bytes: 1000 }, problems: [] })
  })
})
