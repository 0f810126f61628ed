import { execFile } from 'node:child_process'
import { cp, mkdtemp, appendFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase, type PreparedLevel } from './support/database.ts'
import { describeCatalog, pgflowFunctions } from './support/catalog.ts'
import { createFlow, startRun, workThrough } from './support/flows.ts'
import { eventsOf } from './support/messages.ts'
import { install as migration } from './support/migration.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

const opened: TestDatabase[] = []
async function open(level: PreparedLevel): Promise<TestDatabase> {
  const db = await openTestDatabase(level)
  opened.push(db)
  return db
}
afterEach(() => Promise.all(opened.splice(0).map((db) => db.close())))

describe('the generated file', () => {
  const check = (folder: string) =>
    run(join(root, 'node_modules/.bin/tsx'), [
      join(folder, 'scripts/build-migration.ts'),
      '--check',
    ])

  it('is what the schema files make', async () => {
    await check(root)
  })

  it('is found stale, with the way out, when a schema file has changed', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'pinia-pgflow-'))
    try {
      await cp(join(root, 'supabase'), join(copy, 'supabase'), { recursive: true })
      await cp(join(root, 'scripts'), join(copy, 'scripts'), { recursive: true })
      await cp(join(root, 'package.json'), join(copy, 'package.json'))
      await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
      await check(copy)
      await appendFile(join(copy, 'supabase/schemas/2000-reload.sql'), 'select 1;\n')
      await expect(check(copy)).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining('Run "npm run migration"') as string,
      })
    } finally {
      await rm(copy, { recursive: true })
    }
  })
})

describe('installing', () => {
  it('twice is the same as once', async () => {
    const db = await open('pgflow')
    await db.exec(migration)
    const once = await describeCatalog(db)
    await db.exec(migration)
    expect(await describeCatalog(db)).toEqual(once)
  })

  it('again keeps the settings, what is allowed, and the count of runs', async () => {
    const db = await open('full')
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow)
    await db.query(`select pgflow_client.allow_start($1, 'anon')`, [flow])
    await db.query('select pgflow_realtime.set_max_payload_bytes(5000)')
    const state = () =>
      db.query(`select pgflow_realtime.max_payload_bytes(), c.seq::int, a.role_name
        from pgflow_realtime.run_seq c, pgflow_realtime.allowed_starts a`)
    const before = await state()
    await db.exec(migration)
    expect(await state()).toEqual(before)
    expect(before).toEqual([{ max_payload_bytes: 5000, seq: 2, role_name: 'anon' }])
    await workThrough(db, flow)
    expect(await eventsOf(db, runId)).toHaveLength(4)
  })

  it('adds no table or column to pgflow', async () => {
    const tables = async (db: TestDatabase) =>
      db.query(`select attrelid::regclass::text as relation, attname from pg_attribute
        where attrelid::regclass::text like 'pgflow.%' and attnum > 0
          and attrelid in (select oid from pg_class where relkind = 'r') order by 1, 2`)
    expect(await tables(await open('full'))).toEqual(await tables(await open('pgflow')))
  })

  it.each([
    ['pgflow is missing', 'platform', '', 'does not have the table pgflow.runs'],
    [
      'pgflow is too old',
      'pgflow',
      'alter table pgflow.step_states drop column error_message',
      'needs pgflow 0.4 or newer',
    ],
    [
      'Realtime is missing',
      'pgflow',
      'drop function realtime.send(jsonb, text, text, boolean)',
      'needs Supabase Realtime',
    ],
  ] as const)('stops with one clear error where %s', async (_name, level, prepare, message) => {
    const db = await open(level)
    if (prepare) await db.exec(prepare)
    const before = await describeCatalog(db)
    await expect(db.exec(migration)).rejects.toMatchObject({
      code: '55000',
      message: expect.stringContaining(message) as string,
      hint: expect.stringContaining('Nothing was changed') as string,
    })
    expect(await describeCatalog(db)).toEqual(before)
  })

  it('leaves nothing if a runner continues after the error', async () => {
    const db = await open('pgflow')
    await db.exec('drop function realtime.send(jsonb, text, text, boolean)')
    const before = await describeCatalog(db)
    const parts = migration.split(/^(?=do \$|notify )/m)
    expect(parts.length).toBeGreaterThan(5)
    for (const part of parts) await db.exec(part).catch(() => undefined)
    expect(await describeCatalog(db)).toEqual(before)
  })
})

describe('taking over from pgflow', () => {
  it('is done by installing, and leaves no call of realtime.send in pgflow', async () => {
    const db = await open('full')
    const functions = Object.values(await pgflowFunctions(db))
    expect(functions.filter((text) => text.includes('realtime.send'))).toEqual([])
  })

  it('is undone to the letter', async () => {
    const before = await pgflowFunctions(await open('pgflow'))
    const db = await open('full')
    const taken = await db.query<{ name: string }>(
      'select name from pgflow_realtime.give_back() as name',
    )
    expect(taken.map((row) => row.name)).toContain('pgflow.fail_task(uuid,text,integer,text)')
    expect(await pgflowFunctions(db)).toEqual(before)
    expect(await db.query('select * from pgflow_realtime.give_back()')).toEqual([])

    const again = await db.query('select name from pgflow_realtime.take_over() as name')
    expect(again).toEqual(taken)
    expect(await db.query('select * from pgflow_realtime.take_over()')).toEqual([])
  })

  it('sends each change once; given back, pgflow sends too', async () => {
    const db = await open('full')
    const flow = await createFlow(db, [{ slug: 'only' }])
    const silent = await startRun(db, flow)
    expect(await eventsOf(db, silent)).toEqual(['run:started', 'only:started'])
    await db.exec('select pgflow_realtime.give_back()')
    const both = await startRun(db, flow)
    expect((await eventsOf(db, both)).sort()).toEqual([
      'only:started',
      'run:started',
      'run:started',
      'step:only:started',
    ])
  })

  it('works for a role that may run pgflow but knows nothing of pinia-pgflow', async () => {
    const db = await open('full')
    const flow = await createFlow(db, [{ slug: 'only' }])
    await db.exec(`
      create role worker;
      grant usage on schema pgflow, pgmq, realtime to worker;
      grant all on all tables in schema pgflow, pgmq, realtime to worker;
      grant all on all sequences in schema pgmq to worker;
      grant execute on all functions in schema pgflow, pgmq to worker;
    `)
    await db.exec('set role worker')
    const runId = await startRun(db, flow)
    await workThrough(db, flow)
    await db.exec('reset role')
    expect(await eventsOf(db, runId)).toHaveLength(4)
  })
})

describe('the index for snapshots', () => {
  const indexes = (db: TestDatabase) =>
    db.query<{ indexname: string }>(
      `select indexname from pg_indexes where schemaname = 'pgflow' and tablename = 'step_states'
         and indexdef like '%(run_id)'`,
    )

  it('is pgflow’s own where it has one', async () => {
    expect(await indexes(await open('full'))).toEqual([{ indexname: 'idx_step_states_run_id' }])
  })

  it('is made where pgflow has none', async () => {
    const db = await open('pgflow')
    await db.exec('drop index pgflow.idx_step_states_run_id')
    await db.exec(migration)
    await db.exec(migration)
    expect(await indexes(db)).toEqual([{ indexname: 'idx_step_states_run_only' }])
  })
})
