import type { SupabaseClient } from '@supabase/supabase-js'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { FaultState } from '../../playground/backend/faults/state.ts'
import type { Backend } from '../../playground/backend/index.ts'
import { createKeys } from '../../playground/backend/keys.ts'
import { bootBackend, connect } from '../support/backend.ts'
import { askSwitches, Greet, readRun, startRun } from './support/fault-switches.ts'
import { Listener } from '../support/listener.ts'

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

const change = (patch: Partial<FaultState>) => askSwitches(backend, 'PATCH', '', patch)

async function listen(): Promise<Listener> {
  const listener = new Listener(supabase.channel('topic'))
  await listener.status('SUBSCRIBED')
  return listener
}

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
    expect((await startRun(supabase)).status).toBe(401)
    await change({ tokensExpired: false })
    expect((await startRun(supabase)).error).toBeNull()
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
    expect((await readRun(supabase, runId)).data).toEqual([])
  })

  it('that loses its responses has executed the requests', async () => {
    const runId = crypto.randomUUID()
    await change({ restFailure: 'lost_answer' })
    expect((await startRun(supabase, runId)).error?.message).toMatch(/fetch failed/)
    await change({ restFailure: null })
    expect((await readRun(supabase, runId)).data).toMatchObject([{ run: { run_id: runId } }])
  })

  it('that is slow responds later than to a request that was sent afterwards', async () => {
    await change({ restDelayMs: 1_500 })
    const order: string[] = []
    const slow = startRun(supabase).then(() => order.push('slow'))
    await askSwitches(backend, 'GET').then(() => order.push('switches'))
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
    expect((await readRun(past, runId)).data).toMatchObject([
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
