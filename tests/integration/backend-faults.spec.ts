// @vitest-environment node
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { noFaults, type FaultState } from '../../playground/backend/faults/state.ts'
import type { Backend } from '../../playground/backend/index.ts'
import { createKeys } from '../../playground/backend/keys.ts'
import { bootBackend, connect, until } from '../support/backend.ts'
import { Listener } from './support/listener.ts'
import { openSocket, upgradeRequest } from './support/raw-http.ts'

const Greet = new Flow<{ name: string }>({ slug: 'greet' }).step(
  { slug: 'hello' },
  ({ run }) => `Hello ${run.name}`,
)

let backend: Backend
let supabase: SupabaseClient
beforeAll(async () => {
  backend = await bootBackend([Greet])
})
afterAll(() => backend.close())
beforeEach(() => {
  supabase = connect(backend)
})
afterEach(async () => {
  backend.faults.reset()
  await supabase.removeAllChannels()
})

interface Answer {
  status: number
  body: { state?: FaultState; sockets?: number; message?: string }
}

/** Asks as a page does. */
async function ask(method: string, path = '', body?: unknown, headers = {}): Promise<Answer> {
  const response = await fetch(`${backend.url}/embedded/v1/faults${path}`, {
    method,
    headers: { apikey: backend.anonKey, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

const change = (patch: Partial<FaultState>) => ask('PATCH', '', patch)

async function listen(): Promise<Listener> {
  const listener = new Listener(supabase.channel('topic'))
  await listener.status('SUBSCRIBED')
  return listener
}

const send = (...events: string[]) =>
  backend.db.query(
    `select realtime.send('{}', event, 'topic', false) from unnest($1::text[]) as event`,
    [events],
  )

/** Resolves once `count` messages have come to the switches, whatever becomes of them. */
async function passed(count: number, work: () => Promise<unknown>): Promise<void> {
  let seen = 0
  const stop = backend.realtime.faults.tamper((message, deliver) => {
    deliver(message)
    seen += 1
  })
  await work()
  await until(() => seen === count)
  stop()
}

function startRun(client = supabase, runId: string = crypto.randomUUID()) {
  return client.schema('pgflow_client').rpc('start_flow_with_states', {
    p_flow_slug: 'greet',
    p_input: { name: 'Ada' },
    p_run_id: runId,
  })
}

const readRun = (runId: string, client = supabase) =>
  client.schema('pgflow_client').rpc('get_run_with_states', { p_run_id: runId })

describe('the switches of the embedded backend', () => {
  it('say what is wrong, change one by one and are all mended by one request', async () => {
    expect(await ask('GET')).toEqual({ status: 200, body: { state: noFaults } })
    const patch: Partial<FaultState> = {
      dropShare: 0.5,
      eventsPerSecond: 10,
      replicationLost: true,
      restFailure: 'unavailable',
      tokensExpired: true,
    }
    expect(await change(patch)).toEqual({ status: 200, body: { state: { ...noFaults, ...patch } } })
    expect((await change({ dropShare: 0 })).body.state).toMatchObject({ dropShare: 0, restFailure: 'unavailable' }) // prettier-ignore
    expect((await ask('POST', '/reset')).body.state).toEqual(noFaults)
    expect((await ask('GET')).body.state).toEqual(noFaults)
  })

  it('show what was switched in the process itself', async () => {
    backend.realtime.faults.loseReplication()
    backend.realtime.faults.limitEvents(7)
    const { body } = await ask('GET')
    expect(body.state).toMatchObject({ replicationLost: true, eventsPerSecond: 7 })
  })

  it.each([
    ['{', 400],
    ['null', 400],
    ['[1]', 400],
    [{ offline: 1 }, 400],
    [{ dropShare: 1.5 }, 400],
    [{ delayMs: -1 }, 400],
    [{ restDelayMs: 1e9 }, 400],
    [{ restFailure: 'constructor' }, 400],
    [{ unknown: true }, 400],
    ['{"__proto__":{"offline":true}}', 400],
  ])('refuse %j and change nothing', async (body, status) => {
    const answer = await ask('PATCH', '', body)
    expect(answer.status).toBe(status)
    expect(answer.body.message).toEqual(expect.any(String))
    expect(backend.faults.state).toEqual(noFaults)
  })

  it.each([
    ['GET', '/reset', 405],
    ['DELETE', '', 405],
    ['POST', '/constructor', 404],
    ['POST', '/reset/more', 404],
    ['GET', '/../../v1/nothing', 404],
  ])('know no %s %s', async (method, path, status) => {
    expect((await ask(method, path)).status).toBe(status)
  })

  it('are for pages of this machine that have the key, as the rest', async () => {
    expect((await ask('PATCH', '', { offline: true }, { apikey: 'wrong' })).status).toBe(401)
    const foreign = { origin: 'https://example.org' }
    expect((await ask('PATCH', '', { offline: true }, foreign)).status).toBe(403)
    expect(backend.faults.state.offline).toBe(false)
    expect((await ask('GET', '', undefined, { origin: 'http://localhost:1' })).status).toBe(200)
  })
})

describe('offline', () => {
  it('cuts sockets and requests off, all but the switches, until it is over', async () => {
    const listener = await listen()
    await change({ offline: true })
    await listener.status('CHANNEL_ERROR')
    const { error } = await startRun()
    expect(error?.message).toMatch(/fetch failed/)
    const socket = openSocket(backend)
    socket.write(upgradeRequest(`/realtime/v1/websocket?apikey=${backend.anonKey}&vsn=2.0.0`))
    await once(socket, 'close')
    expect((await ask('GET')).body.state?.offline).toBe(true)
    await change({ offline: false })
    expect((await startRun()).error).toBeNull()
    await listener.status('SUBSCRIBED', 2)
  })

  it('cuts off a request that is under way too', async () => {
    await change({ restDelayMs: 200 })
    const answer = startRun()
    await until(() => backend.faults.state.restDelayMs === 200)
    await change({ offline: true })
    expect((await answer).error?.message).toMatch(/fetch failed/)
  })
})

describe('messages of the database', () => {
  it('are all dropped, and come again afterwards', async () => {
    const listener = await listen()
    await change({ dropShare: 1 })
    await passed(1, () => send('lost'))
    await change({ dropShare: 0 })
    await send('heard')
    await listener.event('heard')
    expect(listener.events()).toEqual(['heard'])
  })

  it('arrive twice', async () => {
    const listener = await listen()
    await change({ duplicate: true })
    await send('one', 'two')
    await send('end')
    await until(() => listener.heard.length === 6)
    expect(listener.events()).toEqual(['one', 'one', 'two', 'two', 'end', 'end'])
    const [first, second] = listener.heard
    expect(first?.meta?.id).toBe(second?.meta?.id)
  })

  it('arrive late, and still in their order', async () => {
    const listener = await listen()
    await change({ delayMs: 150 })
    await passed(2, () => send('one', 'two'))
    await change({ delayMs: 0 })
    await send('three')
    await until(() => listener.heard.length === 3)
    expect(listener.events()).toEqual(['three', 'one', 'two'])
  })

  it('of a topic change places, and one that nothing follows arrives all the same', async () => {
    const listener = await listen()
    await change({ reorder: true })
    await send('one', 'two', 'three')
    await until(() => listener.heard.length === 3)
    expect(listener.events()).toEqual(['two', 'one', 'three'])
  })

  it('are lost with the replication connection, and their channel hears nothing of it', async () => {
    const listener = await listen()
    await change({ replicationLost: true })
    await send('lost')
    await change({ replicationLost: false })
    await send('heard')
    await listener.event('heard')
    expect(listener.events()).toEqual(['heard'])
    expect(listener.statuses).toEqual([{ status: 'SUBSCRIBED' }])
  })

  it('are dropped while there are too many a second', async () => {
    const { settings } = backend.realtime
    settings.eventTickMs = 20
    const listener = await listen()
    await change({ eventsPerSecond: 1 })
    await until(() => {
      void send('flood')
      return listener.heard.length > 0
    })
    // The first tick finds out.
    await pause(60)
    const heard = listener.heard.length
    await send('too many')
    await change({ eventsPerSecond: null })
    await send('after')
    await listener.event('after')
    expect(listener.events().slice(heard)).not.toContain('too many')
    settings.eventTickMs = 5_000
  })
})

describe('sockets', () => {
  it('are killed, or closed as by a restart, and come back', async () => {
    const listener = await listen()
    expect((await ask('POST', '/kill-sockets')).body.sockets).toBe(1)
    await listener.status('SUBSCRIBED', 2)
    expect((await ask('POST', '/restart-realtime')).body.sockets).toBe(1)
    await listener.status('SUBSCRIBED', 3)
    const lost = listener.statuses.filter(({ status }) => status === 'CHANNEL_ERROR')
    expect(lost.map(({ message }) => message)).toEqual([
      'socket closed: 1006',
      'socket closed: 1012 (Service restart)',
    ])
  })
})

describe('tokens that expire before their time', () => {
  async function signUp(): Promise<SupabaseClient> {
    const client = connect(backend)
    const email = `${crypto.randomUUID()}@example.com`
    const { error } = await client.auth.signUp({ email, password: 'a long password' })
    expect(error).toBeNull()
    return client
  }

  it('end channels, REST and joins, until there is a new one', async () => {
    const client = await signUp()
    await client.realtime.setAuth()
    const system: unknown[] = []
    const listener = new Listener(
      client.channel('mine').on('system', {}, (message) => system.push(message)),
    )
    await listener.status('SUBSCRIBED')
    await change({ tokensExpired: true })
    await listener.status('CLOSED')
    expect(system).toMatchObject([
      { status: 'error', message: expect.stringMatching(/^Token has expired \d seconds ago/) as string },
    ]) // prettier-ignore
    const refused = await startRun(client)
    expect(refused).toMatchObject({
      status: 401,
      error: { code: 'PGRST303', message: 'JWT expired' },
    })
    expect((await client.auth.getUser()).error).toMatchObject({ code: 'bad_jwt', status: 403 })
    const again = new Listener(client.channel('mine'))
    await again.status('CHANNEL_ERROR')
    expect(again.statuses[0]?.message).toMatch(/^InvalidJWTToken: Token has expired/)

    expect((await client.auth.refreshSession()).error).toBeNull()
    await client.realtime.setAuth()
    await again.status('SUBSCRIBED')
    expect((await startRun(client)).error).toBeNull()
    expect((await client.auth.getUser()).error).toBeNull()
    await client.removeAllChannels()
  })

  it('are good again when that is taken back, also for who has only the key', async () => {
    const listener = await listen()
    await change({ tokensExpired: true })
    await listener.status('CLOSED')
    expect((await startRun()).status).toBe(401)
    await change({ tokensExpired: false })
    expect((await startRun()).error).toBeNull()
    await listen()
  })

  it('that are forged are refused as ever', async () => {
    await change({ tokensExpired: true })
    const response = await fetch(`${backend.url}/rest/v1/rpc/get_run_with_states`, {
      method: 'POST',
      headers: {
        apikey: backend.anonKey,
        authorization: `Bearer ${(await createKeys()).anonKey}`,
        'content-profile': 'pgflow_client',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ p_run_id: crypto.randomUUID() }),
    })
    expect(response.status).toBe(401)
    expect(await response.text()).not.toContain('PGRST303')
  })
})

describe('REST', () => {
  it.each([
    ['unavailable', 503, { code: 'PGRST002' }],
    ['bad_gateway', 502, {}],
    ['rate_limited', 429, { message: 'API rate limit exceeded' }],
  ] as const)('that is %s answers %d and does nothing', async (restFailure, status, error) => {
    const runId = crypto.randomUUID()
    await change({ restFailure })
    expect(await startRun(supabase, runId)).toMatchObject({ status, error })
    await change({ restFailure: null })
    expect((await readRun(runId)).data).toEqual([])
  })

  it('that loses its answers has done what it was asked for', async () => {
    const runId = crypto.randomUUID()
    await change({ restFailure: 'lost_answer' })
    expect((await startRun(supabase, runId)).error?.message).toMatch(/fetch failed/)
    await change({ restFailure: null })
    expect((await readRun(runId)).data).toMatchObject([{ run: { run_id: runId } }])
  })

  it('that is slow answers later than what was asked after it', async () => {
    await change({ restDelayMs: 300 })
    const order: string[] = []
    const slow = startRun().then(() => order.push('slow'))
    await ask('GET').then(() => order.push('switches'))
    await slow
    expect(order).toEqual(['switches', 'slow'])
  })

  it('fails without Auth, where somebody can still sign up', async () => {
    await change({ restFailure: 'unavailable' })
    const email = `${crypto.randomUUID()}@example.com`
    const { error } = await supabase.auth.signUp({ email, password: 'a long password' })
    expect(error).toBeNull()
  })
})

describe('the way past all faults', () => {
  it('reads what the same token may read, whatever is wrong', async () => {
    const runId = crypto.randomUUID()
    expect((await startRun(supabase, runId)).error).toBeNull()
    await change({ offline: true, tokensExpired: true, restFailure: 'unavailable' })
    const past = connect({ url: `${backend.url}/embedded/v1`, anonKey: backend.anonKey })
    expect((await readRun(runId, past)).data).toMatchObject([
      { run: { run_id: runId, flow_slug: 'greet' } },
    ])
    expect((await past.from('nothing').select()).status).toBe(404)
    expect((await past.schema('pgflow').from('runs').select()).status).toBe(406)
  })

  it('needs the key', async () => {
    const target = `${backend.url}/embedded/v1/rest/v1/rpc/get_run_with_states`
    expect((await fetch(target, { method: 'POST' })).status).toBe(401)
  })
})
