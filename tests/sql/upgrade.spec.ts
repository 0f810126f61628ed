import { afterEach, describe, expect, it } from 'vitest'
import { describeCatalog } from './support/catalog.ts'
import { openTestDatabase, type PreparedLevel, type TestDatabase } from './support/database.ts'
import { createFlow, startRun, workThrough } from './support/flows.ts'
import { eventsOf, messagesOf } from './support/messages.ts'
import { firstEdition, install, uninstall } from './support/migration.ts'

const opened: TestDatabase[] = []
async function open(level: PreparedLevel): Promise<TestDatabase> {
  const db = await openTestDatabase(level)
  opened.push(db)
  return db
}
afterEach(() => Promise.all(opened.splice(0).map((db) => db.close())))

/** Without the queues of the flows that the tests made. */
const catalogOf = async (db: TestDatabase) =>
  (await describeCatalog(db)).filter((line) => !/flow_[0-9a-f]{32}/.test(line))

const settingsOf = async (db: TestDatabase) => {
  const [row] = await db.query<{ status: { settings: unknown; problems: string[] } }>(
    'select pgflow_realtime.status() as status',
  )
  return row?.status
}

describe('upgrading from the first edition', () => {
  it('keeps settings, permissions, owners and counts; the next run leaves nothing of it', async () => {
    const db = await open('pgflow')
    await db.exec(firstEdition)
    const flow = await createFlow(db, [{ slug: 'only' }])
    await db.exec(`
      select pgflow_realtime.set_visibility('private');
      select pgflow_realtime.set_max_payload_bytes(5000);
      select pgflow_client.allow_start('${flow}', 'anon');
      set request.jwt.claims = '{"sub": "anna"}';
    `)
    const runId = await startRun(db, flow)
    await db.exec(`reset request.jwt.claims`)
    await db.exec(install)
    expect(await settingsOf(db)).toMatchObject({
      settings: { max_payload_bytes: 5000, step_event_prefix: '', visibility: 'private' },
      problems: [],
    })
    await workThrough(db, flow)
    expect((await messagesOf(db, runId)).map(({ payload }) => payload.seq)).toEqual([1, 2, 3, 4])
    const rest = await db.query(
      'select owner, role_name from pgflow_realtime.run_owners, pgflow_realtime.allowed_starts',
    )
    expect(rest).toEqual([{ owner: 'anna', role_name: 'anon' }])

    await db.exec(install)
    const fresh = await open('full')
    await fresh.exec(`
      select pgflow_realtime.set_visibility('private');
      select pgflow_realtime.set_max_payload_bytes(5000);
    `)
    expect(await catalogOf(db)).toEqual(await catalogOf(fresh))
  })

  it('finds the broadcasts of pgflow silenced, and gives them back to the letter', async () => {
    const plain = await open('pgflow')
    const before = await catalogOf(plain)
    const db = await open('pgflow')
    await db.exec(firstEdition)
    await db.exec(install)
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow)
    expect(await eventsOf(db, runId)).toEqual(['run:started', 'only:started'])
    await db.exec(uninstall)
    expect(await catalogOf(db)).toEqual(before)
  })

  it('is not needed to uninstall it: only what a worker may be about to call stays', async () => {
    const plain = await open('pgflow')
    const before = await catalogOf(plain)
    const db = await open('pgflow')
    await db.exec(firstEdition)
    await db.exec(uninstall)
    const left = (await catalogOf(db)).filter((line) => !before.includes(line))
    expect(left).toHaveLength(1)
    expect(left[0]).toContain('pgflow.pinia_pgflow_silence')
  })

  it('takes the defaults where the row of settings is gone, as in a dump without data', async () => {
    const db = await open('pgflow')
    await db.exec(firstEdition)
    await db.exec('delete from pgflow_realtime.settings')
    await db.exec(install)
    expect(await settingsOf(db)).toMatchObject({
      settings: { max_payload_bytes: 200000, step_event_prefix: '', visibility: 'public' },
      problems: [],
    })
  })

  it('with pgflow’s names takes the limit that these have now', async () => {
    const db = await open('pgflow')
    await db.exec(firstEdition)
    await db.exec(`select pgflow_realtime.set_step_event_prefix('step:')`)
    await db.exec(install)
    expect(await settingsOf(db)).toMatchObject({ settings: { max_payload_bytes: 3000000 } })
  })
})

describe('installing what is installed', () => {
  const versions = (db: TestDatabase) =>
    db.query(`
      select proc.oid::regprocedure::text as name, proc.xmin::text from pg_proc as proc
      where proc.pronamespace::regnamespace::text like 'pgflow%'
      union all
      select tg.tgname || tg.tgrelid, tg.xmin::text from pg_trigger as tg where not tg.tgisinternal
      union all
      select polname, xmin::text from pg_policy
      union all
      select oid::regclass::text, xmin::text from pg_class
      where relnamespace::regnamespace::text like 'pgflow%'
      order by 1`)

  it('touches no function, trigger, policy or table', async () => {
    const db = await open('full')
    await db.exec(`select pgflow_realtime.set_visibility('private')`)
    await db.exec('select pgflow_realtime.set_max_payload_bytes(5000)')
    const before = await versions(db)
    await db.exec(install)
    expect(await versions(db)).toEqual(before)
  })

  it('repairs what is not as it should be', async () => {
    const db = await open('full')
    const before = await catalogOf(db)
    await db.exec(`
      create or replace function pgflow_realtime.remaining_steps(p_run_id uuid) returns integer
      language sql security definer set search_path = '' as 'select 0';
      grant execute on function pgflow_client.allow_start(text, name) to anon;
      alter table pgflow.step_states disable trigger pinia_pgflow_step_update;
      drop trigger pinia_pgflow_run_insert on pgflow.runs;
      drop index pgflow.pinia_pgflow_runs_newest;
      select pgflow_realtime.give_back();
    `)
    await db.exec(install)
    expect(await catalogOf(db)).toEqual(before)
    expect(await db.query('select * from pgflow_realtime.problems()')).toEqual([])
  })
})
