import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkFromInside } from '../../src/cli/doctor/from-inside.ts'
import { readPackage } from '../../src/cli/package-info.ts'
import { flowsOfDatabase } from '../../src/cli/types/read-flows.ts'
import { call } from '../cli/support/call.ts'
import { nativePort, openTestDatabase, type TestDatabase } from './support/database.ts'
import { install } from './support/migration.ts'

/** What `npx pinia-pgflow doctor --db` and `types --db` read. */
const own = await readPackage()
const examine = async (db: TestDatabase) => {
  const inside = { query: (sql: string) => db.query(sql), close: () => db.close() }
  const findings = await checkFromInside(inside as Parameters<typeof checkFromInside>[0], own)
  return findings
    .filter(({ status }) => status !== 'ok')
    .map(({ status, check, cause }) => `${status} ${check} ${cause ?? ''}`)
}

describe('from inside the database', () => {
  let db: TestDatabase
  beforeAll(async () => {
    db = await openTestDatabase()
    await db.exec(`
      select pgflow.create_flow('greet');
      select pgflow.add_step('greet', 'zero'), pgflow.add_step('greet', 'after', array['zero']);
      select pgflow_client.allow_start('greet', 'anon');
    `)
  })
  afterAll(() => db.close())

  const today = `to_char(localtimestamp, 'YYYY_MM_DD')`
  it.each([
    ['nothing', '', '', []],
    [
      'pgflow that broadcasts by itself',
      'select pgflow_realtime.give_back()',
      'select pgflow_realtime.take_over()',
      ['error sending pgflow_sends'],
    ],
    [
      'a missing trigger',
      'drop trigger pinia_pgflow_run_change on pgflow.runs',
      install,
      ['error problems problem'],
    ],
    [
      'a missing partition',
      `do $$ begin execute 'drop table realtime.messages_' || ${today}; end $$`,
      'select realtime.stand_in_create_partitions()',
      ['error partition no_partition'],
    ],
    [
      'an owner without rights',
      `create role weak; grant create, usage on schema pgflow_realtime to weak;
       alter function pgflow_realtime.cannot_send() owner to weak`,
      `reassign owned by weak to postgres; drop owned by weak; drop role weak`,
      ['error owner cannot_send'],
    ],
    [
      'a schema that is not exposed',
      `create role authenticator; alter role authenticator set pgrst.db_schemas = 'public'`,
      'drop role authenticator',
      ['error exposed schema_not_exposed'],
    ],
    [
      'flows that nobody may start, and starts of flows that are not there',
      `select pgflow.create_flow('closed'), pgflow_client.allow_start('constructor', 'anon')`,
      `delete from pgflow.flows where flow_slug = 'closed';
       select pgflow_client.disallow_start('constructor', 'anon')`,
      ['warning flows closed_flows', 'warning flows unknown_flows'],
    ],
  ])('finds %s', async (_, broken, mend, expected) => {
    await db.exec(broken)
    try {
      expect(await examine(db)).toEqual(expected)
    } finally {
      await db.exec(mend)
    }
    expect(await examine(db)).toEqual([])
  })

  it('reads the flows and their steps in order', async () => {
    const inside = { query: (sql: string) => db.query(sql), close: () => db.close() }
    expect(await flowsOfDatabase(inside as Parameters<typeof flowsOfDatabase>[0])).toEqual([
      { slug: 'greet', steps: ['zero', 'after'] },
    ])
  })

  it('finds that pgflow or pinia-pgflow is not there', async () => {
    const platform = await openTestDatabase('platform')
    expect(await examine(platform)).toEqual(['error database no_pgflow'])
    await platform.close()
    const plain = await openTestDatabase('pgflow')
    expect(await examine(plain)).toEqual(['error database not_installed'])
    await plain.close()
  })

  it('reports what it cannot connect to, and not with which password', async () => {
    const address = 'postgres://me:sword%40fish@127.0.0.1:1/postgres'
    const { code, out, err } = await call(['doctor', '--db', address])
    expect({ code, err }).toEqual({ code: 1, err: '' })
    expect(out).toContain(
      'Cannot connect to the database of --db: connect ECONNREFUSED 127.0.0.1:1',
    )
    expect(out).not.toMatch(/sword/)
  })

  it.runIf(nativePort)('over a connection', async () => {
    const [row] = await db.query<{ name: string }>('select current_database() as name')
    const at = (password: string) =>
      `postgres://postgres:${password}@127.0.0.1:${nativePort ?? 0}/${row?.name ?? ''}`
    const { code, out } = await call(['doctor', '--db', at('postgres')])
    expect(out).toMatch(/All is well\.\n$/)
    expect(code).toBe(0)
    const refused = await call(['doctor', '--db', at('swordfish'), '--json'])
    expect(refused.code).toBe(1)
    expect(refused.out).toContain('not_connected')
    expect(refused.out).not.toContain('swordfish')
    const types = await call(['types', '--db', at('postgres')])
    expect(types.out).toContain(`greet: FlowWithSteps<'zero' | 'after'>`)
  })
})
