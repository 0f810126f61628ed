import { Flow } from '@pgflow/dsl'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { useRun } from 'pinia-pgflow'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { Backend } from '../../playground/backend/index.ts'
import { mountApp } from '../support/app.ts'
import { bootBackend, createGate, until } from '../support/backend.ts'
import { fastScheduler } from '../support/fast-scheduler.ts'

let backend: Backend
let gate = createGate()
const clients: SupabaseClient[] = []
const Wait = new Flow<{ name: string }>({ slug: 'wait' }).step({ slug: 'only' }, async () => {
  await gate.wait()
  return 'done'
})
/** Two minutes of the library's time are four seconds. */
const fast = { scheduler: fastScheduler(30), snapshotTimeout: 300_000 }

beforeAll(async () => {
  backend = await bootBackend([Wait])
})
afterAll(() => backend.close())
beforeEach(() => {
  gate = createGate()
})
afterEach(async () => {
  gate.open()
  await Promise.all(clients.splice(0).map((made) => made.removeAllChannels()))
})

function clientWith(accessToken: () => Promise<string | null>): SupabaseClient {
  const made = createClient(backend.url, backend.anonKey, {
    accessToken,
    // Typed for browsers; `ws` has what is needed of it.
    realtime: { transport: WebSocket as unknown as typeof globalThis.WebSocket },
  })
  clients.push(made)
  return made
}

const sign = (expiresIn: number) =>
  backend.keys.sign({
    sub: 'ada',
    role: 'authenticated',
    exp: Math.floor(Date.now() / 1000) + expiresIn,
  })

describe('one read that is refused does not end what was followed', () => {
  it('with a token that has just expired', { timeout: 90_000 }, async () => {
    const fresh = await sign(3_600)
    let token = fresh
    const supabase = clientWith(() => Promise.resolve(token))
    const [row] = await backend.db.query<{ run_id: string }>(
      `select run_id from pgflow.start_flow('wait', '{"name": "Ada"}')`,
    )
    const { result, wrapper, reported } = mountApp(supabase, () => useRun(row?.run_id), fast)
    await until(() => result.connection.value.status === 'live')
    token = await sign(-60)
    // The page wakes: everything is read with the old token.
    window.dispatchEvent(new Event('online'))
    await until(() => reported.some(({ code }) => code === 'unauthorized'))
    expect(result.run.value?.status).toBe('started')
    expect(result.connection.value.status).not.toBe('closed')
    token = fresh
    await until(() => result.connection.value.status === 'live')
    expect(result.error.value).toBeNull()
    gate.open()
    await until(() => result.run.value?.status === 'completed')
    wrapper.unmount()
  })

  it('without its session, of a private run', { timeout: 90_000 }, async () => {
    await backend.db.query(`select pgflow_realtime.set_visibility('private')`)
    try {
      const token = await sign(3_600)
      let missing = 0
      // Null: supabase-js then sends the anon key.
      const supabase = clientWith(() => Promise.resolve(missing-- > 0 ? null : token))
      const args = { p_flow_slug: 'wait', p_input: {}, p_run_id: crypto.randomUUID() }
      await supabase.schema('pgflow_client').rpc('start_flow_with_states', args)
      const options = { private: true, ...fast }
      const app = mountApp(supabase, () => useRun(args.p_run_id), options)
      await until(() => app.result.connection.value.status === 'live')
      missing = 1
      const asked = app.traced('fetch')
      window.dispatchEvent(new Event('online'))
      await until(() => missing <= 0 && app.traced('fetch') > asked)
      await until(() => app.result.connection.value.status === 'live')
      expect(app.result.error.value).toBeNull()
      expect(app.result.run.value?.status).toBe('started')
      app.wrapper.unmount()
    } finally {
      await backend.db.query(`select pgflow_realtime.set_visibility('public')`)
    }
  })
})
