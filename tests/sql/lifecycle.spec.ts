import { afterEach, describe, expect, it } from 'vitest'
import { describeCatalog, pgflowFunctions } from './support/catalog.ts'
import { openTestDatabase, type TestDatabase, type PreparedLevel } from './support/database.ts'
import { completeTask, createFlow, startRun, takeTasks, workThrough } from './support/flows.ts'
import { eventsOf, snapshotOf } from './support/messages.ts'
import { install, uninstall } from './support/migration.ts'
import { asCaller } from './support/roles.ts'

const opened: TestDatabase[] = []
async function open(level: PreparedLevel): Promise<TestDatabase> {
  const db = await openTestDatabase(level)
  opened.push(db)
  return db
}
afterEach(() => Promise.all(opened.splice(0).map((db) => db.close())))

describe('uninstalling', () => {
  it('leaves the database exactly as it was before installing', async () => {
    const db = await open('pgflow')
    await db.exec('drop index pgflow.idx_step_states_run_id')
    const before = await describeCatalog(db)
    await db.exec(install)
    await db.exec(`select pgflow_realtime.set_visibility('private')`)
    expect(await describeCatalog(db)).not.toEqual(before)
    await db.exec(uninstall)
    expect(await describeCatalog(db)).toEqual(before)
  })

  it('keeps an index that was there before', async () => {
    const db = await open('full')
    await db.exec(uninstall)
    const rows = await db.query(`select from pg_indexes where indexname = 'idx_step_states_run_id'`)
    expect(rows).toHaveLength(1)
  })

  it('lets a run that has begun continue, with pgflow’s own broadcasts', async () => {
    const db = await open('full')
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow)
    await db.exec(uninstall)
    await workThrough(db, flow)
    expect(await eventsOf(db, runId)).toEqual([
      'run:started',
      'only:started',
      'step:only:completed',
      'run:completed',
    ])
  })

  it('twice, or where it never was, does nothing', async () => {
    for (const level of ['pgflow', 'platform'] as const) {
      const db = await open(level)
      const before = await describeCatalog(db)
      await db.exec(uninstall)
      expect(await describeCatalog(db)).toEqual(before)
    }
  })

  it('works even after pgflow itself is gone', async () => {
    const db = await open('full')
    await db.exec('drop schema pgflow cascade')
    await db.exec(uninstall)
    expect(await db.query(`select from pg_namespace where nspname like 'pgflow%'`)).toEqual([])
  })

  it('can be followed by installing again, which finds the runs', async () => {
    const db = await open('full')
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow)
    await db.exec(uninstall)
    await db.exec(install)
    const found = await snapshotOf(db, runId)
    expect(found).toMatchObject({ run: { status: 'started' } })
    await workThrough(db, flow)
    const last = await snapshotOf(db, runId)
    expect(last).toMatchObject({ run: { status: 'completed' } })
    expect(last?.seq, 'above every seq it ever had').toBeGreaterThan((found?.seq ?? 0) + 2)
  })
})

describe('after an upgrade of pgflow', () => {
  it('installing again takes over what it brought, and gives back just that', async () => {
    const db = await open('full')
    const brought = await pgflowFunctions(await open('pgflow'))
    const name = 'pgflow.maybe_complete_run(uuid)'
    brought[name] = String(brought[name]).replace('begin', 'begin -- new in this version')
    for (const definition of Object.values(brought)) await db.exec(definition)
    await db.exec(`
      alter table pgflow.step_states add column output jsonb;
      create function pgflow.maybe_realtime_send(event jsonb, name text, channel text)
      returns void language sql set search_path = ''
      as 'select realtime.send(event, name, channel, false) where channel is not null';
    `)
    const upgraded = await pgflowFunctions(db)

    await db.exec(install)
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow)
    await db.exec(`select pgflow.maybe_realtime_send('{}', 'x', 'pgflow:run:${runId}')`)
    const [task] = await takeTasks(db, flow)
    if (task) await completeTask(db, task, 'in the task')
    expect(await eventsOf(db, runId)).toEqual([
      'run:started',
      'only:started',
      'only:completed',
      'run:completed',
    ])
    await db.exec('select pgflow_realtime.give_back()')
    expect(await pgflowFunctions(db)).toEqual(upgraded)
  })

  it('a private database that is installed again stays private', async () => {
    const db = await open('full')
    await db.exec(`select pgflow_realtime.set_visibility('private')`)
    const before = await describeCatalog(db)
    await db.exec('select pgflow_realtime.drop_policies(); select pgflow_realtime.give_back()')
    await db.exec(install)
    expect(await describeCatalog(db)).toEqual(before)
    expect(await db.query('select from pgflow_realtime.problems()')).toEqual([])
  })
})

describe('deleting runs', () => {
  it('leaves nothing of them, however pgflow deletes', async () => {
    const db = await open('full')
    const flow = await createFlow(db, [{ slug: 'only' }])
    await db.query(`select pgflow_client.allow_start($1, 'authenticated')`, [flow])
    const start = (sub: string) =>
      asCaller(db, { role: 'authenticated', sub }, (tx) =>
        tx.query(`select from pgflow_client.start_flow_with_states($1, '{}')`, [flow]),
      )
    for (const user of ['anna', 'ben', 'cleo']) await start(user)
    await workThrough(db, flow)
    const rest = async () => {
      const [row] = await db.query(`select
        (select count(*)::int from pgflow_realtime.run_seq) as counted,
        (select count(*)::int from pgflow_realtime.run_owners) as owned`)
      return row
    }
    expect(await rest()).toEqual({ counted: 3, owned: 3 })
    // Prunes delete from the leaves up.
    await db.exec(`
      create temp table old as
        select run_id from pgflow_realtime.run_owners where owner = 'anna';
      delete from pgflow.step_tasks where run_id in (select run_id from old);
      delete from pgflow.step_states where run_id in (select run_id from old);
      delete from pgflow.runs where run_id in (select run_id from old);
    `)
    expect(await rest()).toEqual({ counted: 2, owned: 2 })
    await db.exec(`
      delete from pgflow.step_tasks; delete from pgflow.step_states; delete from pgflow.runs;
      delete from pgflow.deps; delete from pgflow.steps; delete from pgflow.flows;
    `)
    expect(await rest()).toEqual({ counted: 0, owned: 0 })
  })
})
