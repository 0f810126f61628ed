import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from './support/database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())

interface Status {
  version: string
  settings: Record<string, unknown>
  pgflow: Record<string, boolean>
  allowed_starts: Record<string, string[]>
  functions_still_sending: string[]
  exposed: boolean | null
  problems: string[]
}

async function status(): Promise<Status | undefined> {
  const [row] = await db.query<{ status: Status }>('select pgflow_realtime.status() as status')
  return row?.status
}

describe('status', () => {
  beforeEach(() => db.exec(`select pgflow_realtime.set_visibility('public')`))

  it('returns what is installed and how it is set', async () => {
    await db.exec(`select pgflow_client.allow_start('a', 'anon')`)
    expect(await status()).toEqual({
      version: '0.1.0',
      settings: {
        max_payload_bytes: 200000,
        max_input_bytes: 1000000,
        step_event_prefix: '',
        visibility: 'public',
      },
      pgflow: { map_steps: true, outputs_in_steps: false, skipped_steps: false },
      allowed_starts: { a: ['anon'] },
      functions_still_sending: [],
      exposed: null,
      problems: [],
    })
  })

  it('has the version of the package', async () => {
    const file = new URL('../../package.json', import.meta.url)
    const { version } = JSON.parse(await readFile(file, 'utf8')) as { version: string }
    expect((await status())?.version).toBe(version)
  })

  it('returns whether the schema is exposed if PostgREST is configured in the database', async () => {
    await db.exec(
      `create role authenticator; alter role authenticator set pgrst.db_schemas = 'public'`,
    )
    expect((await status())?.exposed).toBe(false)
    await db.exec(`alter role authenticator set pgrst.db_schemas = 'public, pgflow_client'`)
    expect((await status())?.exposed).toBe(true)
    await db.exec('drop role authenticator')
  })

  it('names functions that broadcast by themselves, however they write it', async () => {
    await db.exec(`
      create function pgflow.new_in_an_upgrade() returns void language plpgsql
      as 'begin perform "realtime" . send (''{}'', ''x'', ''y'', false); end';
    `)
    const found = await status()
    expect(found?.functions_still_sending).toEqual(['pgflow.new_in_an_upgrade()'])
    expect(found?.problems).toEqual([
      'pgflow.new_in_an_upgrade() broadcasts by itself, publicly: run pgflow_realtime.take_over().',
    ])
    await db.exec('drop function pgflow.new_in_an_upgrade()')
  })

  it('names a missing or disabled trigger [F32]', async () => {
    await db.exec('alter table pgflow.runs disable trigger pinia_pgflow_run_change')
    expect((await status())?.problems).toEqual([
      'The trigger pinia_pgflow_run_change on pgflow.runs is missing, disabled or not as it should be: run the migration again.',
    ])
    await db.exec('alter table pgflow.runs enable trigger pinia_pgflow_run_change')
  })

  it('names what private runs lack [F32]', async () => {
    await db.exec(`
      select pgflow_realtime.set_visibility('private');
      drop policy pinia_pgflow_listen on realtime.messages;
      alter table realtime.messages disable row level security;
    `)
    expect((await status())?.problems).toEqual([
      'The policy pinia_pgflow_listen on realtime.messages is missing: run pgflow_realtime.create_policies().',
      'Row level security of realtime.messages is off: anyone may listen to private runs.',
    ])
    await db.exec('alter table realtime.messages enable row level security')
  })
})
