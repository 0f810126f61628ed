import { randomUUID } from 'node:crypto'
import { Flow } from '@pgflow/dsl'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBackend, type Backend } from '../../playground/backend/index.ts'
import { connect } from '../support/backend.ts'
import { Listener } from '../support/listener.ts'
import { ask, codeOf } from './support/raw-api.ts'
import { WireClient } from '../support/wire-client.ts'

/** What the attackers are after. */
const secret = `the plan ${randomUUID()}`
const api = 'pgflow_client'
const count = { prefer: 'count=exact' }

const Secret = new Flow<{ text: string }>({ slug: 'secret' }).step({ slug: 'shout' }, ({ run }) =>
  run.text.toUpperCase(),
)

/**
 * A project that makes it easy: every schema is exposed over REST, and its own policies let
 * everyone read, change and send whatever Realtime's policies decide about.
 */
let backend: Backend
let victim: { id: string; token: string }
let stranger: { id: string; token: string }

beforeAll(async () => {
  const schemas = ['public', api, 'pgflow_realtime', 'pgflow', 'realtime', 'pgmq']
  backend = await createBackend({
    flows: [Secret],
    schemas,
    realtime: { joinErrorDelayMs: 10 },
  })
  await backend.db.exec(`
    select pgflow_realtime.set_visibility('private');
    create policy wide_read on realtime.messages for select to anon, authenticated using (true);
    create policy wide_send on realtime.messages for insert to anon, authenticated with check (true);
    create policy wide_write on realtime.messages for update to anon, authenticated using (true);
    select pgflow.create_flow('forbidden');
    notify pgrst, 'reload schema';
  `)
  victim = await user()
  stranger = await user()
})
afterAll(() => backend.close())

async function user() {
  const id = randomUUID()
  const exp = Math.floor(Date.now() / 1000) + 3600
  return { id, token: await backend.keys.sign({ role: 'authenticated', sub: id, exp }) }
}

function start(token: string, runId: string) {
  const body = { p_flow_slug: 'secret', p_input: { text: secret }, p_run_id: runId }
  return ask(backend, 'rpc/start_flow_with_states', { schema: api, token, body })
}

/** A private run of the victim, started and maybe over already. */
async function victimsRun(): Promise<string> {
  const runId = randomUUID()
  expect((await start(victim.token, runId)).status).toBe(200)
  return runId
}

/** Hears everything that reaches the victim on a topic. */
async function victimListens(topic: string): Promise<WireClient> {
  const client = await WireClient.connect(backend)
  const reply = await client.join(topic, { private: true, token: victim.token })
  expect(reply[4]).toMatchObject({ status: 'ok' })
  return client
}

function broadcastsOf(client: WireClient): string[] {
  return client.received.flatMap((item) => {
    if ('binary' in item) return [item.binary.event]
    return item.text[3] === 'broadcast' ? [String(item.text[4].event)] : []
  })
}

describe.each(['anon', 'another user'])('private runs before an attacker who is %s', (who) => {
  const token = () => (who === 'anon' ? backend.anonKey : stranger.token)
  const tryTo = (path: string, request: Parameters<typeof ask>[2]) =>
    ask(backend, path, { token: token(), ...request })

  it('are not read or listed, neither by RPC nor from any table', async () => {
    const runId = await victimsRun()
    const answers = await Promise.all([
      tryTo('rpc/get_run_with_states', { schema: api, body: { p_run_id: runId } }),
      tryTo('rpc/get_runs_with_states', { schema: api, body: { p_run_ids: [runId] } }),
      tryTo('rpc/get_run_with_states', { schema: api, body: { p_run_id: runId }, headers: count }),
      tryTo('rpc/list_runs', { schema: api, body: {} }),
      tryTo('rpc/list_runs', { schema: api, body: { p_flow_slug: 'secret', p_limit: 100 } }),
    ])
    const tables = await backend.db.query<{ schema: string; name: string }>(
      `select relnamespace::regnamespace::text as schema, relname as name from pg_class
       where relnamespace::regnamespace::text in ('pgflow', 'pgflow_realtime', 'pgmq', 'realtime')
         and relkind in ('r', 'p', 'v', 'm') and not relispartition`,
    )
    expect(tables.length).toBeGreaterThan(10)
    for (const { schema, name } of tables) {
      answers.push(await tryTo(`${name}?select=*`, { schema, method: 'GET' }))
    }
    for (const { body } of answers) {
      expect(body).not.toContain(runId)
      expect(body.toLowerCase()).not.toContain(secret)
      expect(body).not.toContain(victim.id)
    }
    const own = await ask(backend, 'rpc/list_runs', { schema: api, token: victim.token, body: {} })
    expect(own.body, 'the same question by the owner').toContain(runId)
  })

  it('answer to the letter as runs that do not exist', async () => {
    const about = async (runId: string) => {
      const wire = await WireClient.connect(backend, backend.anonKey)
      const topic = `pgflow:run:${runId}`
      const answers = [
        await tryTo('rpc/get_run_with_states', { schema: api, body: { p_run_id: runId } }),
        await tryTo('rpc/get_runs_with_states', { schema: api, body: { p_run_ids: [runId] } }),
        await tryTo('rpc/get_run_with_states', {
          schema: api,
          body: { p_run_id: runId },
          headers: count,
        }),
        await wire.join(topic, { ref: '1', private: true, token: token() }),
        await wire.join(topic, { ref: '2', token: token() }),
      ]
      wire.socket.close()
      return JSON.stringify(answers).replaceAll(runId, 'the run')
    }
    expect(await about(await victimsRun())).toBe(await about(randomUUID()))
  })

  it('cannot be started over, nor can anything that nobody allowed', async () => {
    const runId = await victimsRun()
    const over = await start(token(), runId)
    expect(codeOf(over)).toBe(who === 'anon' ? 'PT401' : 'PT409')
    expect(over.body).not.toContain(secret)
    expect(over.body).not.toContain(victim.id)
    const body = { p_flow_slug: 'forbidden', p_input: {} }
    const refused = await tryTo('rpc/start_flow_with_states', { schema: api, body })
    expect(codeOf(refused)).toBe(who === 'anon' ? 'PT401' : 'PT403')
    expect(await backend.db.query(`select from pgflow.runs where flow_slug = 'forbidden'`)).toEqual(
      [],
    )
  })

  it('are not received, on any topic that looks like theirs', async () => {
    const runId = randomUUID()
    const [run, feed] = [`pgflow:run:${runId}`, `pgflow:user:${victim.id}`]
    const owner = await victimListens(feed)
    const publicly = await WireClient.connect(backend)
    for (const [index, topic] of [run, feed].entries()) {
      await publicly.join(topic, { ref: `${index}`, token: token() })
    }
    const supabase = connect(backend)
    if (who !== 'anon') await supabase.realtime.setAuth(token())
    const listeners = [run, feed].map((topic) => new Listener(supabase.channel(topic)))
    await Promise.all(listeners.map((listener) => listener.status('SUBSCRIBED')))

    expect((await start(victim.token, runId)).status).toBe(200)
    await owner.binary('run:completed')
    await publicly.settled()
    expect(broadcastsOf(publicly)).toEqual([])
    expect(listeners.flatMap((listener) => listener.heard)).toEqual([])

    const privately = await WireClient.connect(backend)
    const topics = [run, feed, `${run} `, `${run}/`, 'pgflow:run:%']
    for (const [index, topic] of topics.entries()) {
      const reply = await privately.join(topic, { ref: `${index}`, private: true, token: token() })
      expect(reply[4], topic).toMatchObject({ status: 'error' })
    }
    await supabase.removeAllChannels()
  })

  it('take no forged event, by whatever way it comes', async () => {
    const runId = await victimsRun()
    const topic = `pgflow:run:${runId}`
    const owner = await victimListens(topic)
    const row = { topic, extension: 'broadcast', event: 'forged', private: true, payload: {} }
    const send = { topic, event: 'forged', private: true, payload: { run_id: runId } }
    for (const [path, body] of [
      ['messages', row],
      ['messages', [row, { ...row, topic: `pgflow:user:${victim.id}` }]],
      ['rpc/send', send],
    ] as const) {
      await tryTo(path, { schema: 'realtime', body })
      await ask(backend, path, { schema: 'realtime', token: victim.token, body })
    }
    await tryTo(`messages?topic=eq.${topic}`, {
      schema: 'realtime',
      method: 'PATCH',
      body: { event: 'forged' },
    })
    const attacker = await WireClient.connect(backend)
    await attacker.join(topic, { token: token() })
    const frame = { type: 'broadcast', event: 'forged', payload: { run_id: runId } }
    for (const ref of ['1', null]) {
      attacker.send(ref, '9', `realtime:${topic}`, 'broadcast', frame)
      owner.send(ref, '9', `realtime:${topic}`, 'broadcast', frame)
    }
    await attacker.settled()
    await owner.settled()
    const stored = await backend.db.query(`select from realtime.messages where event = 'forged'`)
    expect(stored).toEqual([])
    await backend.db.query(`select pgflow_realtime.broadcast($1, 'genuine', '{}')`, [runId])
    await owner.binary('genuine')
    expect(broadcastsOf(owner)).not.toContain('forged')
  })
})

describe('every function that an attacker could call', () => {
  const rpcs = [
    'api_version',
    'get_flow',
    'get_run_seqs',
    'get_run_with_states',
    'get_runs_with_states',
    'list_runs',
    'self_test',
    'self_test_rows',
    'start_flow_with_states',
  ]

  it.each(['anon', 'authenticated'])('is refused to %s, but for the RPCs', async (role) => {
    const token = role === 'anon' ? backend.anonKey : stranger.token
    const functions = await backend.db.query<{ schema: string; name: string; call: string }>(
      `select proc.pronamespace::regnamespace::text as schema, proc.proname as name,
         format('select %s(%s)', proc.oid::regproc, (
           select string_agg(format('null::%s', format_type(type, null)), ', ' order by place)
           from unnest(proc.proargtypes::oid[]) with ordinality as args (type, place)
         )) as call
       from pg_proc as proc
       where proc.pronamespace::regnamespace::text in ('${api}', 'pgflow_realtime', 'pgflow')
         and proc.prokind = 'f'
       order by 1, 2`,
    )
    const called = new Set<string>()
    for (const { schema, name, call } of functions) {
      const isRpc = schema === api && rpcs.includes(name)
      const code = await codeInTheDatabase(role, call)
      if (isRpc) called.add(name)
      expect(code === '42501', `${call}: ${code ?? 'no error'}`).toBe(!isRpc)
      const rest = await ask(backend, `rpc/${name}`, { schema, token, body: {} })
      if (!isRpc) expect(rest.status, `${schema}.${name}`).toBeGreaterThanOrEqual(400)
    }
    expect([...called]).toEqual(rpcs)
    expect(functions.length).toBeGreaterThan(50)
  })

  /** The SQLSTATE of a statement that this role runs, if it fails; nothing of it stays. */
  async function codeInTheDatabase(role: string, statement: string): Promise<string | undefined> {
    const done = new Error('nothing of it stays')
    return backend.db
      .transaction(async (tx) => {
        await tx.query(`select set_config('role', $1, true)`, [role])
        await tx.query(statement)
        throw done
      })
      .catch((error: unknown) => {
        if (error === done) return undefined
        return error instanceof Error && 'code' in error ? String(error.code) : String(error)
      })
  }
})
