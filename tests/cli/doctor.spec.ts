import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  createBackendCore,
  type Backend,
  type BackendCore,
} from '../../playground/backend/index.ts'
import { createKeys } from '../../playground/backend/keys.ts'
import { checkProject } from '../../src/cli/doctor/doctor.ts'
import type { Finding } from '../../src/cli/doctor/findings.ts'
import { readPackage } from '../../src/cli/package-info.ts'
import { firstEdition, install as ours } from '../sql/support/migration.ts'
import { bootBackend } from '../support/backend.ts'
import { call } from './support/call.ts'

interface Report {
  ok: boolean
  errors: number
  findings: Finding[]
}

interface Given {
  key?: string
  token?: string
  now?: () => number
}

const ada = '11111111-1111-4111-8111-111111111111'
const opened: { close(): Promise<void> }[] = []
afterAll(() => Promise.all(opened.map((each) => each.close())))

async function boot(options: Parameters<typeof bootBackend>[1] = {}): Promise<Backend> {
  const backend = await bootBackend([], options)
  opened.push(backend)
  return backend
}

const tokenOf = (backend: Pick<Backend, 'keys'>, claims: Record<string, unknown> = {}) =>
  backend.keys.sign({
    role: 'authenticated',
    sub: ada,
    exp: Math.floor(Date.now() / 1000) + 3600,
    ...claims,
  })

/** What the command finds, and that it says no secret. */
async function examine(
  { url, anonKey }: Pick<Backend, 'url' | 'anonKey'>,
  { key = anonKey, token, now }: Given = {},
): Promise<Report & { code: number }> {
  const args = ['doctor', '--url', url, '--key', key, '--json']
  if (token !== undefined) args.push('--token', token)
  const { code, out, err } = await call(args, now && { now })
  expect(err).toBe('')
  expect(out).not.toContain(key)
  if (token !== undefined) expect(out).not.toContain(token)
  return { code, ...(JSON.parse(out) as Report) }
}

/** Everything that is not as it should be. */
const wrong = ({ findings }: Pick<Report, 'findings'>) =>
  findings
    .filter(({ status }) => status !== 'ok')
    .map(({ status, check, cause }) => `${status} ${check} ${cause ?? ''}`)

const fixesOf = ({ findings }: Pick<Report, 'findings'>) =>
  findings.flatMap(({ fix }) => (fix === null ? [] : [fix]))

describe('a project where all is well', () => {
  let backend: Backend
  beforeAll(async () => {
    backend = await boot()
    await backend.db.exec(`
      select pgflow.create_flow('greet');
      select pgflow.add_step('greet', 'hello');
      select pgflow_client.allow_start('greet', 'anon');
      select pgflow_client.allow_start('greet', 'authenticated');
    `)
  })
  afterEach(() => backend.db.exec(`select pgflow_realtime.set_visibility('public')`))

  const public_ = 'A message went through the database and back on a channel.'
  const private_ = 'A message went through the database and back on a private channel.'

  it.each([
    ['anon, in public mode', 'public', 'anon', public_],
    ['a signed-in user, in public mode', 'public', 'user', public_],
    ['a signed-in user, in private mode', 'private', 'user', private_],
    ['service_role, in private mode', 'private', 'service', private_],
  ])('for %s', async (_, visibility, who, message) => {
    await backend.db.query('select pgflow_realtime.set_visibility($1)', [visibility])
    const given: Given = {
      ...(who === 'user' && { token: await tokenOf(backend) }),
      ...(who === 'service' && { key: backend.serviceRoleKey }),
    }
    const report = await examine(backend, given)
    expect(wrong(report)).toEqual([])
    expect(report).toMatchObject({ code: 0, ok: true, errors: 0 })
    expect(report.findings.map(({ message: said }) => said)).toContain(message)
  })

  it('refuses a key that is not its own', async () => {
    const { anonKey } = await createKeys()
    for (const key of [anonKey, 'nonsense']) {
      expect(wrong(await examine(backend, { key }))).toEqual(['error key key_refused'])
    }
  })

  it('does not take anybody with a wrong token for signed in', async () => {
    const expired = await tokenOf(backend, { exp: 1_600_000_000 })
    const foreign = await tokenOf({ keys: await createKeys() })
    for (const token of [expired, foreign]) {
      expect(wrong(await examine(backend, { token }))).toEqual(['error key token_refused'])
    }
    const nonsense = await examine(backend, { token: 'nonsense' })
    expect(wrong(nonsense)).toEqual([
      'error key token_without_user',
      'error realtime token_refused',
    ])
    const report = await examine(backend, { token: backend.anonKey })
    expect(wrong(report)).toEqual(['error key token_without_user'])
  })

  it('leaves no run behind, and nothing open', async () => {
    await examine(backend)
    expect(await backend.db.query('select from pgflow.runs')).toEqual([])
    expect(backend.realtime.faults.closeSockets()).toBe(0)
  })

  it('is printed, with what was not checked', async () => {
    const args = ['doctor', '--url', `${backend.url}/rest/v1/`, '--key', backend.anonKey]
    const { code, out } = await call(args)
    expect(code).toBe(0)
    expect(out).toContain(`ok       reachable  ${backend.url} answers.`)
    expect(out).toMatch(/All is well\.\n$/)
    await backend.db.exec(`select pgflow_realtime.set_visibility('private')`)
    const other = await call(['doctor'], {
      env: { PINIA_PGFLOW_URL: backend.url, PINIA_PGFLOW_KEY: backend.anonKey },
    })
    expect(other.code).toBe(0)
    expect(other.out).toContain('Fix: Pass the access token of a signed-in user as --token.')
    expect(other.out).toMatch(/1 not looked at\.\n$/)
  })

  it('a clock that is off is a warning', async () => {
    const off = (seconds: number) => () => Date.now() + seconds * 1000
    const ahead = await examine(backend, { now: off(90) })
    expect(wrong(ahead)).toEqual(['warning clock clock_skew'])
    expect(ahead.code).toBe(0)
    expect(ahead.findings.find(({ check }) => check === 'clock')?.message).toMatch(
      /^The clock of this machine is (89|90) s ahead of that of the database\.$/,
    )
    const behind = await examine(backend, { now: off(-90) })
    expect(behind.findings.find(({ check }) => check === 'clock')?.message).toMatch(
      /is (89|90) s behind that of/,
    )
  })
})

describe('a project that cannot be asked', () => {
  const servers: Server[] = []
  afterAll(() => servers.forEach((server) => server.close().closeAllConnections()))

  async function serve(answer: Parameters<typeof createServer>[1]): Promise<string> {
    const server = createServer(answer as Parameters<typeof createServer>[0] & typeof answer)
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('does not respond', async () => {
    const url = await serve(() => undefined)
    const server = servers.pop()
    await new Promise((resolve) => server?.close(resolve))
    const report = await examine({ url, anonKey: 'some-anon-key' })
    expect(wrong(report)).toEqual(['error reachable unreachable'])
    expect(report.code).toBe(1)
    expect(report.findings[0]?.message).toContain('ECONNREFUSED')
  })

  it.each([
    [200, '<html>hello</html>', 'error reachable not_supabase'],
    [404, 'not found', 'error reachable not_supabase'],
    [503, '<html>upstream</html>', 'error reachable database_down'],
    [401, '{"message":"Invalid API key"}', 'error key key_refused'],
    [401, 'no', 'error key key_refused'],
  ])('is something else: %s %s', async (status, body, expected) => {
    const url = await serve((_, response) => void response.writeHead(status).end(body))
    expect(wrong(await examine({ url, anonKey: 'some-anon-key' }))).toEqual([expected])
  })

  it('refuses the token, as PostgREST does', async () => {
    const body = '{"code":"PGRST303","message":"JWT expired","details":null,"hint":null}'
    const url = await serve((_, response) => void response.writeHead(401).end(body))
    const report = await examine({ url, anonKey: 'some-anon-key' }, { token: 'some-token' })
    expect(wrong(report)).toEqual(['error key token_refused'])
    expect(report.findings[0]?.message).toContain('JWT expired')
  })

  it('does not expose the schema', async () => {
    const report = await examine(await boot({ schemas: ['public'] }))
    expect(wrong(report)).toEqual(['error exposed schema_not_exposed'])
    expect(fixesOf(report)[0]).toContain('Exposed schemas: add pgflow_client')
  })

  it('has no pinia-pgflow, or its first edition', async () => {
    const backend = await boot({ database: { level: 'pgflow' } })
    await backend.db.exec(`
      create schema pgflow_client;
      grant usage on schema pgflow_client to anon;
      notify pgrst, 'reload schema';
    `)
    const none = await examine(backend)
    expect(wrong(none)).toEqual(['error installed not_installed'])
    expect(fixesOf(none)[0]).toContain('npx pinia-pgflow install')
    await backend.db.exec('drop schema pgflow_client')
    await backend.db.exec(firstEdition)
    await backend.db.exec(`notify pgrst, 'reload schema'`)
    const first = await examine(backend)
    expect(wrong(first)).toEqual(['error version older_migration'])
  })

  it('does not let WebSockets through', async () => {
    const core: BackendCore = await createBackendCore()
    opened.push(core)
    await core.db.exec(`
      select pgflow.create_flow('greet');
      select pgflow_client.allow_start('greet', 'anon');
    `)
    const url = await serve((request, response) => void core.handle(request, response))
    const access = { url, key: core.anonKey, token: undefined }
    const findings = await checkProject(access, await readPackage(), Date.now, { join: 500 })
    expect(wrong({ findings })).toEqual(['error realtime no_socket'])
  })
})

describe('one thing that is broken', () => {
  let backend: Backend
  beforeAll(async () => {
    backend = await boot()
    await backend.db.exec(`
      select pgflow.create_flow('greet');
      select pgflow_client.allow_start('greet', 'anon');
      select pgflow_client.allow_start('greet', 'authenticated');
    `)
  })
  /** Breaks it, looks, and mends it again. */
  async function whileBroken(broken: string, mend: string, given: Given = {}) {
    await backend.db.exec(`${broken}; notify pgrst, 'reload schema'`)
    try {
      return await examine(backend, given)
    } finally {
      await backend.db.exec(`${mend}; notify pgrst, 'reload schema'`)
    }
  }
  const apiVersion = (version: number) =>
    `create or replace function pgflow_client.api_version() returns integer language sql immutable
     set search_path = '' as $$ select ${version}; $$`

  it.each([
    ['an older API', apiVersion(1), apiVersion(2), 'error version older_migration'],
    ['a newer API', apiVersion(3), apiVersion(2), 'error version newer_migration'],
    [
      'another version',
      `create or replace function pgflow_realtime.version() returns text language sql immutable
       set search_path = '' as $$ select '0.0.9'; $$`,
      ours,
      'warning version other_version',
    ],
    [
      'a missing function',
      'drop function pgflow_client.get_run_seqs(uuid[])',
      ours,
      'error functions functions_missing',
    ],
    [
      'a missing grant',
      'revoke execute on function pgflow_client.get_flow(text) from anon',
      'grant execute on function pgflow_client.get_flow(text) to anon',
      'error functions not_granted',
    ],
    [
      'a function that fails',
      `create or replace function pgflow_client.get_flow(p_flow_slug text)
       returns table (flow_slug text, steps jsonb) language plpgsql
       as $$ begin raise exception 'no such luck'; end $$`,
      ours,
      'error functions call_failed',
    ],
    [
      'pgflow that broadcasts by itself',
      'select pgflow_realtime.give_back()',
      'select pgflow_realtime.take_over()',
      'error sending pgflow_sends',
    ],
    [
      'flows that nobody may start',
      `select pgflow_client.disallow_start('greet', 'anon'), pgflow_client.disallow_start('greet', 'authenticated')`,
      `select pgflow_client.allow_start('greet', 'anon'), pgflow_client.allow_start('greet', 'authenticated')`,
      'error flows none_startable',
    ],
    [
      'a disabled trigger, for who may not know of it',
      'alter table pgflow.runs disable trigger pinia_pgflow_run_change',
      'alter table pgflow.runs enable trigger pinia_pgflow_run_change',
      'skipped problems more_problems',
    ],
  ])('%s', async (_, broken, mend, expected) => {
    const report = await whileBroken(broken, mend)
    expect(wrong(report)).toEqual([expected])
    expect(report.code).toBe(expected.startsWith('error') ? 1 : 0)
    expect(fixesOf(report).every((fix) => fix !== '')).toBe(true)
  })

  it('a disabled trigger, for the owner of a secret key', async () => {
    const report = await whileBroken(
      'alter table pgflow.runs disable trigger pinia_pgflow_run_change',
      'alter table pgflow.runs enable trigger pinia_pgflow_run_change',
      { key: backend.serviceRoleKey },
    )
    expect(wrong(report)).toEqual(['error problems problem'])
    expect(report.findings.find(({ check }) => check === 'problems')).toMatchObject({
      message: expect.stringContaining('pinia_pgflow_run_change on pgflow.runs') as string,
      fix: 'Run the migration again.',
    })
  })

  it('no flow at all', async () => {
    const report = await whileBroken(
      `delete from pgflow.flows where flow_slug = 'greet'`,
      `select pgflow.create_flow('greet')`,
    )
    expect(wrong(report)).toEqual(['error flows no_flows'])
  })

  it('flows for the wrong role', async () => {
    const report = await whileBroken(
      `select pgflow_client.disallow_start('greet', 'authenticated')`,
      `select pgflow_client.allow_start('greet', 'authenticated')`,
      { token: await tokenOf(backend) },
    )
    expect(wrong(report)).toEqual(['error flows not_startable'])
  })

  it('private runs, and flows for those only who are not signed in', async () => {
    const report = await whileBroken(
      `select pgflow_realtime.set_visibility('private'), pgflow_client.disallow_start('greet', 'authenticated')`,
      `select pgflow_realtime.set_visibility('public'), pgflow_client.allow_start('greet', 'authenticated')`,
    )
    expect(wrong(report)).toEqual(['error flows not_startable', 'skipped realtime token_needed'])
  })

  it('private runs without the policy that lets their owner listen', async () => {
    const report = await whileBroken(
      `select pgflow_realtime.set_visibility('private');
       drop policy pinia_pgflow_listen on realtime.messages`,
      `select pgflow_realtime.set_visibility('public')`,
      { token: await tokenOf(backend) },
    )
    expect(wrong(report)).toEqual([
      'skipped problems more_problems',
      'error realtime channel_refused',
    ])
  })

  it('no partition for today', async () => {
    const [row] = await backend.db.query<{ name: string }>(
      `select 'realtime.messages_' || to_char(now(), 'YYYY_MM_DD') as name`,
    )
    const report = await whileBroken(
      `drop table ${row?.name ?? ''}`,
      'select realtime.stand_in_create_partitions()',
    )
    expect(wrong(report)).toEqual(['error partition no_partition', 'skipped realtime not_stored'])
  })

  it('something else that keeps messages from being stored', async () => {
    const report = await whileBroken(
      `create function public.refuse() returns trigger language plpgsql
         as $$ begin raise exception 'no' using errcode = 'P0999'; end $$;
       create trigger refuse before insert on realtime.messages
         for each row when (new.topic like 'pgflow:self-test:%') execute function public.refuse()`,
      'drop function public.refuse() cascade',
    )
    expect(wrong(report)).toEqual(['error partition not_stored', 'skipped realtime not_stored'])
    expect(report.findings.find(({ check }) => check === 'partition')?.message).toContain('P0999')
  })

  it('an owner of the functions without rights', async () => {
    const report = await whileBroken(
      `create role weak;
       grant usage, create on schema pgflow_realtime to weak;
       grant execute on all functions in schema pgflow_realtime to weak;
       alter function pgflow_realtime.cannot_send() owner to weak;
       alter function pgflow_realtime.why_not_stored(text) owner to weak;
       alter function pgflow_realtime.send_event(text, text, jsonb) owner to weak`,
      `reassign owned by weak to postgres; drop owned by weak; drop role weak; ${ours}`,
    )
    expect(wrong(report)).toEqual(['error owner cannot_send', 'skipped realtime not_stored'])
  })

  it('Realtime that takes private channels only', async () => {
    const settings = backend.realtime.settings
    settings.privateOnly = true
    try {
      expect(wrong(await examine(backend))).toEqual(['error realtime private_only'])
    } finally {
      settings.privateOnly = false
    }
  })

  it('Realtime that delivers nothing', async () => {
    const access = { url: backend.url, key: backend.anonKey, token: undefined }
    const waits = { ready: 300, message: 300 }
    const look = async () => checkProject(access, await readPackage(), Date.now, waits)
    backend.realtime.faults.loseReplication()
    const deaf = await look()
    backend.realtime.faults.restoreReplication()
    expect(wrong({ findings: deaf })).toEqual(['error realtime not_delivered'])
    expect(deaf.at(-1)?.message).toContain('It has not said that it listens to the database.')

    const restore = backend.realtime.faults.tamper(() => {})
    const dropping = await look()
    restore()
    expect(wrong({ findings: dropping })).toEqual(['error realtime not_delivered'])
    expect(dropping.at(-1)?.message).toContain('delivers nothing')
    expect(wrong({ findings: await look() })).toEqual([])
  })

  it('a limit of rows below the pages of a list', async () => {
    const limited = await boot({ maxRows: 20 })
    await limited.db.exec(`
      select pgflow.create_flow('greet');
      select pgflow_client.allow_start('greet', 'anon');
    `)
    const report = await examine(limited)
    expect(wrong(report)).toEqual(['warning rows row_limit'])
    expect(report.findings.find(({ check }) => check === 'rows')?.message).toContain('20 rows')
  })
})
