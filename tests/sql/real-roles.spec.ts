import { readFile, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nativePort } from './support/database.ts'
import { createFlow, startRun, workThrough } from './support/flows.ts'
import { install, uninstall } from './support/migration.ts'
import { openNative, type NativeDatabase } from './support/native/session.ts'
import { asCaller } from './support/roles.ts'

const folder = join(
  dirname(createRequire(import.meta.url).resolve('@pgflow/core/package.json')),
  'dist/supabase/migrations',
)

/**
 * Supabase's `postgres` is no superuser: it owns what its migrations make, and has a few rights on
 * Realtime's table. Here it is called project_owner, since the cluster's superuser has its name.
 */
async function openAsProject(isMember: boolean): Promise<NativeDatabase> {
  const db = await openNative(nativePort ?? 0, 'platform')
  await db.exec(`
    do $$
    begin
      if to_regrole('project_owner') is null then
        create role project_owner nosuperuser createrole createdb;
      end if;
    end;
    $$;
    alter role project_owner bypassrls;
    ${isMember ? 'grant supabase_realtime_admin to project_owner' : 'revoke supabase_realtime_admin from project_owner'};
    revoke all on realtime.messages from public;
    grant anon, authenticated, service_role to project_owner;
    grant usage on schema realtime, auth, extensions to project_owner;
    grant insert, select, update on realtime.messages to project_owner;
    grant all on schema pgmq to project_owner;
    grant all on all tables in schema pgmq to project_owner;
    grant all on all sequences in schema pgmq to project_owner;
    do $$ begin execute format('grant create on database %I to project_owner', current_database()); end; $$;
    set role project_owner;
  `)
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  for (const name of names) await db.exec(await readFile(join(folder, name), 'utf8'))
  return db
}

const problems = async (db: NativeDatabase) =>
  (await db.query<{ problem: string }>('select * from pgflow_realtime.problems() as problem')).map(
    ({ problem }) => problem,
  )

async function playRun(db: NativeDatabase) {
  const flow = await createFlow(db, [{ slug: 'only' }])
  const runId = await startRun(db, flow)
  await workThrough(db, flow)
  return db.query<{ event: string; private: boolean }>(
    `select event, private from realtime.messages where topic = 'pgflow:run:' || $1
     order by (payload ->> 'seq')::int`,
    [runId],
  )
}

const events = ['run:started', 'only:started', 'only:completed', 'run:completed']

describe.runIf(nativePort).each([
  { who: 'a member of the role that owns realtime.messages', isMember: true },
  { who: 'no member of it', isMember: false },
])('installed by a postgres that is no superuser, $who', ({ isMember }) => {
  let db: NativeDatabase
  beforeEach(async () => {
    db = await openAsProject(isMember)
    await db.exec(install)
  })
  afterEach(() => db.close())

  it('broadcasts every change, and sees no problem', async () => {
    expect((await playRun(db)).map(({ event }) => event)).toEqual(events)
    expect(await problems(db)).toEqual([])
  })

  it('lets the roles of the API start and read runs', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    await db.query(`select pgflow_client.allow_start($1, 'anon')`, [flow])
    const rows = await asCaller(db, { role: 'anon' }, (tx) =>
      tx.query<{ seq: number }>(
        `select seq::int from pgflow_client.start_flow_with_states($1, '{}')`,
        [flow],
      ),
    )
    expect(rows).toEqual([{ seq: 2 }])
  })

  it('can be private as far as its rights go, and otherwise reports which role can', async () => {
    const makePrivate = db.exec(`select pgflow_realtime.set_visibility('private')`)
    if (isMember) {
      await makePrivate
      expect((await playRun(db)).every((message) => message.private)).toBe(true)
      expect(await problems(db)).toEqual([])
      await db.exec(install)
      await db.exec(`select pgflow_realtime.set_visibility('public')`)
      return
    }
    await expect(makePrivate).rejects.toMatchObject({
      code: '42501',
      message: 'The role "project_owner" may not change the policies on realtime.messages.',
      hint: expect.stringMatching(/SQL editor.*supabase_realtime_admin/) as string,
    })
    expect((await playRun(db)).every((message) => !message.private)).toBe(true)
    expect(await problems(db)).toEqual([])
  })

  it('runs again and is removed while private as far as its rights go', async () => {
    await db.exec(`
      reset role;
      select pgflow_realtime.set_visibility('private');
      set role project_owner;
    `)
    await db.exec(install)
    expect(await problems(db)).toEqual([])
    if (isMember) {
      await db.exec(uninstall)
      expect(await db.query('select from pg_policy')).toEqual([])
      return
    }
    await expect(db.exec(uninstall)).rejects.toMatchObject({
      code: '42501',
      message: expect.stringContaining('"project_owner" may not drop the policies') as string,
      hint: expect.stringContaining('SQL editor') as string,
    })
    expect(await problems(db)).toEqual([])
  })

  it('is a problem where the owner is subject to row level security, and every broadcast is lost', async () => {
    await db.exec('reset role; alter role project_owner nobypassrls; set role project_owner')
    const lost = (await playRun(db)).length === 0
    const told = (await problems(db)).filter((problem) => problem.includes('bypassrls'))
    // Who belongs to the owner of the table has the owner's rights on it.
    expect({ lost, told: told.length }).toEqual({ lost: !isMember, told: isMember ? 0 : 1 })
    await db.exec('reset role; alter role project_owner bypassrls; set role project_owner')
    expect(await problems(db)).toEqual([])
  })
})
