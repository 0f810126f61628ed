import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from './support/database.ts'
import { anon, asCaller } from './support/roles.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())

const apiFunctions = [
  'pgflow_client.api_version()',
  'pgflow_client.get_flow(text)',
  'pgflow_client.get_run_seqs(uuid[])',
  'pgflow_client.get_run_with_states(uuid)',
  'pgflow_client.get_runs_with_states(uuid[])',
  'pgflow_client.list_runs(text,text,text,integer)',
  'pgflow_client.self_test(uuid)',
  'pgflow_client.self_test_rows()',
  'pgflow_client.start_flow_with_states(text,jsonb,uuid)',
]

describe('what the roles of the API may do', () => {
  it.each(['anon', 'authenticated', 'service_role'])('%s may call the RPCs only', async (role) => {
    const rows = await db.query<{ name: string }>(
      `select proc.oid::regprocedure::text as name
       from pg_proc as proc
       where proc.pronamespace in ('pgflow_client'::regnamespace, 'pgflow_realtime'::regnamespace)
         and has_schema_privilege($1, proc.pronamespace, 'usage')
         and has_function_privilege($1, proc.oid, 'execute')
       order by 1`,
      [role],
    )
    expect(rows.map((row) => row.name)).toEqual(apiFunctions)
  })

  it.each(['anon', 'authenticated', 'service_role'])('%s may touch no table', async (role) => {
    const rows = await db.query(
      `select class.oid::regclass
       from pg_class as class
       where class.relnamespace in ('pgflow_client'::regnamespace, 'pgflow_realtime'::regnamespace)
         and class.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
         and (
           has_table_privilege($1, class.oid, 'select, insert, update, delete, truncate')
           or has_any_column_privilege($1, class.oid, 'select, insert, update')
         )`,
      [role],
    )
    expect(rows).toEqual([])
  })

  it('nobody may look into the internal schema', async () => {
    const [row] = await db.query<Record<string, boolean>>(
      `select has_schema_privilege('anon', 'pgflow_realtime', 'usage, create') as internal,
         has_schema_privilege('anon', 'pgflow_client', 'usage') as api,
         has_schema_privilege('anon', 'pgflow_client', 'create') as change`,
    )
    expect(row).toEqual({ internal: false, api: true, change: false })
  })

  it.each([
    `select pgflow_client.allow_start('x', 'anon')`,
    `select pgflow_client.disallow_start('x', 'anon')`,
    `select pgflow_realtime.broadcast(gen_random_uuid(), 'forged', '{}')`,
    `select pgflow_realtime.take_over()`,
    `select pgflow_realtime.may_listen('pgflow:run:x')`,
    `select pgflow_realtime.set_visibility('public')`,
    `select * from pgflow_realtime.snapshots(array[gen_random_uuid()])`,
    `select * from pgflow_realtime.run_seq`,
    `select pgflow_realtime.max_payload_bytes()`,
    `select pgflow_realtime.set_max_payload_bytes(1000)`,
  ])('anon is refused: %s', async (statement) => {
    await expect(asCaller(db, anon, (tx) => tx.query(statement))).rejects.toMatchObject({
      code: '42501',
    })
  })
})

describe('how the functions run', () => {
  it('every one has an empty search path and a comment, but constants no path', async () => {
    const rows = await db.query(
      `select proc.oid::regprocedure::text as name
       from pg_proc as proc
       where proc.pronamespace in ('pgflow_client'::regnamespace, 'pgflow_realtime'::regnamespace)
         and (
           not coalesce(proc.proconfig, '{}') && array['search_path=""']
             and proc.prosrc !~ '^select ''[^'']*''::(text|integer|boolean)$'
           or obj_description(proc.oid, 'pg_proc') is null
         )`,
    )
    expect(rows).toEqual([])
  })

  it('every table has a comment', async () => {
    const rows = await db.query(
      `select class.oid::regclass::text as name
       from pg_class as class
       where class.relnamespace in ('pgflow_client'::regnamespace, 'pgflow_realtime'::regnamespace)
         and class.relkind = 'r' and obj_description(class.oid, 'pg_class') is null`,
    )
    expect(rows).toEqual([])
  })
})
