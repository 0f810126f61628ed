import { setImmediate } from 'node:timers/promises'
import { Flow } from '@pgflow/dsl'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createBackend, type Backend } from '../../playground/backend/index.ts'
import { connect } from '../support/backend.ts'

/** REST and Auth, as the roles and with the privileges of a real project. */
describe('the embedded backend over HTTP', () => {
  let backend: Backend

  const echo = new Flow<{ text: string }>({ slug: 'echo' }).step(
    { slug: 'say' },
    ({ run }) => run.text,
  )

  beforeAll(async () => {
    backend = await createBackend({ flows: [echo] })
    await backend.db.exec(`
      create function public.whoami() returns jsonb language sql set search_path = ''
        as $$ select jsonb_build_object('role', current_user, 'sub', auth.uid()) $$;
      create function public.refuse() returns void language plpgsql set search_path = ''
        as $$ begin
          raise sqlstate 'PT418' using message = 'I am a teapot', detail = 'short and stout',
            hint = 'order tea';
        end $$;
      create table public.notes (id bigint generated always as identity, body text);
      alter table public.notes enable row level security;
      create policy own on public.notes to authenticated using (true) with check (true);
      grant select, insert on public.notes to authenticated;
      notify pgrst, 'reload schema';
    `)
  })
  afterAll(() => backend.close())

  const anHour = () => Math.floor(Date.now() / 1000) + 3600
  const rest = (
    path: string,
    init: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
  ) =>
    fetch(`${backend.url}/rest/v1/${path}`, {
      ...init,
      headers: { apikey: backend.anonKey, ...init.headers },
    })
  const insertAs = (token: string) =>
    rest('notes', {
      method: 'POST',
      body: JSON.stringify({ body: 'hi' }),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    })

  it('starts a flow over RPC and runs it to the end', async () => {
    const client = connect(backend).schema('pgflow_client')
    const id = crypto.randomUUID()
    const started = await client.rpc('start_flow_with_states', {
      p_flow_slug: 'echo',
      p_input: { text: 'hello' },
      p_run_id: id,
    })
    expect(started.error).toBeNull()
    await expect
      .poll(async () => {
        const answer = await client.rpc('get_run_with_states', { p_run_id: id })
        return answer.data as unknown
      })
      .toMatchObject([{ run: { status: 'completed', output: { say: 'hello' } } }])
  })

  it('reports errors of the database with status, code and hint, and prints nothing', async () => {
    const { error, status } = await connect(backend).rpc('refuse')
    expect(status).toBe(418)
    expect(error).toMatchObject({
      code: 'PT418',
      message: 'I am a teapot',
      details: 'short and stout',
      hint: 'order tea',
    })
  })

  it('reports what a function raises without a code as PostgREST does', async () => {
    await backend.db.exec(`
      create function public.complain() returns int language plpgsql
        as $$ begin raise exception 'not today'; end $$;
      notify pgrst, 'reload schema';
    `)
    const { error, status } = await connect(backend).rpc('complain')
    expect(status).toBe(400)
    expect(error).toMatchObject({ code: 'P0001', message: 'not today' })
  })

  it('knows a function once the schema is reloaded', async () => {
    const client = connect(backend)
    expect((await client.rpc('newborn')).error?.code).toBe('PGRST202')
    await backend.db.exec(`
      create function public.newborn() returns int language sql as 'select 42';
      notify pgrst, 'reload schema';
    `)
    expect((await client.rpc('newborn')).data).toBe(42)
  })

  it('acts as the role of the token, or of the key for who has none', async () => {
    const call = async (headers: Record<string, string>) => {
      const response = await rest('rpc/whoami', { method: 'POST', headers })
      return response.json() as Promise<unknown>
    }
    const sub = '33333333-3333-4333-8333-333333333333'
    const token = await backend.keys.sign({ role: 'authenticated', sub, exp: anHour() })
    expect(await call({})).toEqual({ role: 'anon', sub: null })
    expect(await call({ authorization: `Bearer ${token}` })).toEqual({ role: 'authenticated', sub })
    expect(await call({ apikey: backend.serviceRoleKey })).toMatchObject({ role: 'service_role' })
  })

  it.each([
    ['no key', {}],
    ['a key of another project', { apikey: 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2ln' }],
  ])('responds with 401 for %s', async (_name, headers: Record<string, string>) => {
    const response = await fetch(`${backend.url}/rest/v1/rpc/whoami`, { method: 'POST', headers })
    expect(response.status).toBe(401)
  })

  it('responds with 401 for an expired token', async () => {
    const token = await backend.keys.sign({ role: 'authenticated', exp: anHour() - 7200 })
    const response = await insertAs(token)
    expect(response.status).toBe(401)
  })

  it('gives the API roles no privilege that a real project does not give', async () => {
    const privileges = async (table: string) => {
      const rows = await backend.db.query<{ role: string; privileges: string }>(
        `select role, string_agg(p, ' ' order by p) as privileges
           from unnest(array['anon', 'authenticated', 'service_role']) as role,
                unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references',
                             'trigger']) as p
          where has_table_privilege(role, $1, p)
          group by role order by role`,
        [table],
      )
      return Object.fromEntries(rows.map((row) => [row.role, row.privileges]))
    }
    const likeRealtime = 'insert select update'
    expect(await privileges('realtime.messages')).toEqual({
      anon: likeRealtime,
      authenticated: likeRealtime,
      service_role: likeRealtime,
    })
    expect(await privileges('public.notes')).toEqual({ authenticated: 'insert select' })
    expect(await privileges('pgflow.runs')).toEqual({})
    // Nor on tables that are made later.
    await backend.db.exec('create table realtime.later (id int); drop table realtime.later')
    const later = await backend.db.query(
      `select 1 from pg_default_acl a join pg_namespace n on n.oid = a.defaclnamespace
        where n.nspname in ('realtime', 'auth', 'pgflow', 'pgflow_client')`,
    )
    expect(later).toEqual([])
  })

  it('holds row level security against anon', async () => {
    const token = await backend.keys.sign({ role: 'authenticated', exp: anHour() })
    expect((await insertAs(token)).status).toBe(201)
    expect((await insertAs(backend.anonKey)).status).toBe(401)
    expect(
      await (await rest('notes', { headers: { authorization: `Bearer ${token}` } })).json(),
    ).toHaveLength(1)
  })

  it('lets pages of this machine in', async () => {
    const preflight = await fetch(`${backend.url}/rest/v1/rpc/whoami`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:5173',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'apikey,authorization,content-profile,x-client-info',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('content-profile')
    const response = await rest('rpc/whoami', {
      method: 'POST',
      headers: { origin: 'http://localhost:5173' },
    })
    expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:5173')
  })

  it('signs users up and in', async () => {
    const client = connect(backend)
    const account = { email: 'grace@example.com', password: 'correct horse' }
    const signedUp = await client.auth.signUp(account)
    expect(signedUp.error).toBeNull()
    await client.auth.signOut()
    expect((await client.rpc('whoami')).data).toEqual({ role: 'anon', sub: null })
    const signedIn = await client.auth.signInWithPassword(account)
    const sub = signedIn.data.user?.id
    expect(sub).toBe(signedUp.data.user?.id)
    expect((await client.rpc('whoami')).data).toEqual({ role: 'authenticated', sub })
    const wrong = await client.auth.signInWithPassword({ ...account, password: 'wrong' })
    expect(wrong.error?.code).toBe('invalid_credentials')
  })

  it('never lets one caller act as another, however much happens at once', async () => {
    // A statement takes no turn of the event loop here, so that hardly anything could come between
    // two of them. A slower driver would not be so kind.
    const { driver } = backend.db.connection
    const query = driver.query.bind(driver)
    vi.spyOn(driver, 'query').mockImplementation(async (...args) => {
      await setImmediate()
      return query(...args)
    })
    const users = await Promise.all(
      Array.from({ length: 3 }, async (_, index) => {
        const sub = `44444444-4444-4444-8444-44444444444${index}`
        const token = await backend.keys.sign({ role: 'authenticated', sub, exp: anHour() })
        return { token, expected: { role: 'authenticated', sub } }
      }),
    )
    const callers = [...users, { token: backend.anonKey, expected: { role: 'anon', sub: null } }]
    const asCallers = callers.flatMap(({ token, expected }) =>
      Array.from({ length: 15 }, async () => {
        const headers = { authorization: `Bearer ${token}` }
        const response = await rest('rpc/whoami', { method: 'POST', headers })
        expect(await response.json()).toEqual(expected)
      }),
    )
    const failing = Array.from({ length: 15 }, async () => {
      expect((await rest('rpc/refuse', { method: 'POST' })).status).toBe(418)
    })
    const asOwner = Array.from({ length: 30 }, async () => {
      const [row] = await backend.db.query(
        `select current_user as role, auth.uid() as sub,
                nullif(current_setting('request.jwt.claims', true), '') as claims`,
      )
      expect(row).toEqual({ role: 'postgres', sub: null, claims: null })
    })
    const inTransactions = Array.from({ length: 15 }, () =>
      backend.db.transaction(async (tx) => {
        await tx.query(`select set_config('role', 'service_role', true)`)
        expect(await tx.query('select current_user::text as role')).toEqual([
          { role: 'service_role' },
        ])
      }),
    )
    const flows = Array.from({ length: 5 }, () =>
      backend.db.query(`select pgflow.start_flow('echo', '{"text": "busy"}')`),
    )
    await Promise.all([...asCallers, ...failing, ...asOwner, ...inTransactions, ...flows])
    await expect
      .poll(() => backend.db.query(`select 1 from pgflow.runs where status <> 'completed'`))
      .toEqual([])
  })

  it('responds with 404 for what no part of it serves', async () => {
    expect((await fetch(`${backend.url}/storage/v1/bucket`)).status).toBe(404)
    expect((await fetch(backend.url)).status).toBe(404)
  })
})
