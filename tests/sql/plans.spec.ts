import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  nativePort,
  openTestDatabase,
  type Queryable,
  type TestDatabase,
} from './support/database.ts'
import { completeTask, createFlow, failTask, startRun, takeTasks } from './support/flows.ts'
import { snapshotOf } from './support/messages.ts'
import { asCaller, become, type Caller } from './support/roles.ts'

/** What a project has after a while; PGlite, which is slower, gets by with fewer. */
const runs = nativePort ? 100_000 : 10_000

let db: TestDatabase
let flow: string

beforeAll(async () => {
  db = await openTestDatabase()
  flow = await createFlow(db, [{ slug: 'list' }, { slug: 'each', after: ['list'], map: true }])
  await db.query(`select pgflow_client.allow_start($1, 'authenticated')`, [flow])
  await db.exec(`
    set session_replication_role = replica;
    insert into pgflow.runs (run_id, flow_slug, status, input, remaining_steps, started_at, completed_at)
    select gen_random_uuid(), '${flow}', 'completed', '{}', 0, at, at
    from generate_series(1, ${runs}) as n, lateral (select now() - n * interval '1 minute') as _ (at);
    insert into pgflow.step_states (flow_slug, run_id, step_slug, status, remaining_tasks,
      initial_tasks, created_at, started_at, completed_at)
    select flow_slug, run_id, step_slug, 'completed', 0, 1, started_at, started_at, completed_at
    from pgflow.runs, unnest(array['list', 'each']) as step_slug;
    insert into pgflow.step_tasks (flow_slug, run_id, step_slug, task_index, status, output,
      attempts_count, queued_at, started_at, completed_at)
    select flow_slug, run_id, step_slug, 0, 'completed', '[1]', 1, created_at, started_at, completed_at
    from pgflow.step_states;
    insert into pgflow_realtime.run_seq (run_id, seq) select run_id, 6 from pgflow.runs;
    insert into pgflow_realtime.run_owners (run_id, owner, started_at)
    select run_id, 'user ' || (random() * 100)::int, started_at from pgflow.runs;
    reset session_replication_role;
    analyze pgflow.runs, pgflow.step_states, pgflow.step_tasks;
    analyze pgflow_realtime.run_seq, pgflow_realtime.run_owners;
  `)
}, 300_000)
afterAll(() => db.close())

/** The large tables that `work` reads from end to end. */
async function scannedBy(work: (tx: Queryable) => Promise<unknown>): Promise<string[]> {
  return db.transaction(async (tx) => {
    const before = await scans(tx)
    await work(tx)
    const after = await scans(tx)
    return [...after.keys()].filter((table) => after.get(table) !== (before.get(table) ?? 0))
  })
}

/** How often each large table was read from end to end so far. */
async function scans(tx: Queryable): Promise<Map<string, number>> {
  const rows = await tx.query<{ relname: string; seq_scan: number }>(
    `select relname, seq_scan::int from pg_stat_xact_all_tables
     where relname in ('runs', 'step_states', 'step_tasks', 'run_seq', 'run_owners')
       and schemaname in ('pgflow', 'pgflow_realtime')`,
  )
  return new Map(rows.map((row) => [row.relname, row.seq_scan]))
}

describe(`with ${runs} runs in the database`, () => {
  it('a count of scans notices one', async () => {
    const scan = (tx: Queryable) => tx.query(`select from pgflow.runs where input = '[]'`)
    expect(await scannedBy(scan)).toEqual(['runs'])
  })

  it('a snapshot, or many, reads no table from end to end', async () => {
    const ids = await db.query<{ run_id: string }>('select run_id from pgflow.runs limit 100')
    expect(await scannedBy((tx) => snapshotOf(tx, String(ids[0]?.run_id)))).toEqual([])
    const many = (tx: Queryable) =>
      tx.query('select from pgflow_client.get_runs_with_states($1::uuid[])', [
        ids.map((row) => row.run_id),
      ])
    expect(await scannedBy(many)).toEqual([])
  })

  it('a start, and every broadcast of a run, reads no table from end to end', async () => {
    expect(
      await scannedBy(async (tx) => {
        const runId = randomUUID()
        await tx.query('select from pgflow_client.start_flow_with_states($1, $2, $3)', [
          flow,
          '{}',
          runId,
        ])
        for (const output of [[1, 2, 3], 'done']) {
          for (const task of await takeTasks(tx, flow)) await completeTask(tx, task, output)
        }
        await startRun(tx, flow)
        for (const task of await takeTasks(tx, flow)) await failTask(tx, task, 'broken')
        await tx.exec('set constraints all immediate')
      }),
    ).toEqual([])
  })

  it('a page of one’s own runs reads no table from end to end', async () => {
    const owner: Caller = { role: 'authenticated', sub: 'user 7' }
    const page = await asCaller(db, owner, (tx) =>
      tx.query<{ cursor: string }>(
        `select entry ->> 'cursor' as cursor
         from jsonb_array_elements(pgflow_client.list_runs()) as entry`,
      ),
    )
    expect(page).toHaveLength(20)
    const next = async (tx: Queryable) => {
      await become(tx, owner)
      await tx.query('select from pgflow_client.list_runs(p_before => $1)', [page.at(-1)?.cursor])
      await tx.exec('set local role none')
    }
    expect(await scannedBy(next)).toEqual([])
  })

  it('a page of all runs, for service_role, reads no table from end to end', async () => {
    for (const filter of ['', `p_status => 'completed'`, `p_flow_slug => '${flow}'`]) {
      const page = async (tx: Queryable) => {
        await become(tx, { role: 'service_role' })
        const rows = await tx.query(
          `select from jsonb_array_elements(pgflow_client.list_runs(${filter}))`,
        )
        expect(rows).toHaveLength(20)
        await tx.exec('set local role none')
      }
      expect(await scannedBy(page), filter).toEqual([])
    }
  })

  it('whether a user may join the channel of a run is read from an index', async () => {
    const topic = `pgflow:run:${randomUUID()}`
    const listen = (tx: Queryable) => tx.query('select pgflow_realtime.may_listen($1)', [topic])
    expect(await scannedBy(listen)).toEqual([])
  })
})
