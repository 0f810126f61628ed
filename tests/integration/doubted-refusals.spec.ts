import { Flow } from '@pgflow/dsl'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { useRun } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { mountApp } from '../support/app.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { fastScheduler } from '../support/fast-scheduler.ts'

const Wait = new Flow<{ name: string }>({ slug: 'wait' }).step({ slug: 'only' }, async () => {
  await fixture.gate.wait()
  return 'done'
})

const fixture = useBackend([Wait])
/** Two minutes of the library's time are four seconds. */
const fast = { scheduler: fastScheduler(30), snapshotTimeout: 300_000 }

function clientWith(accessToken: () => Promise<string | null>): SupabaseClient {
  const made = createClient(fixture.backend.url, fixture.backend.anonKey, {
    accessToken,
    // Typed for browsers; `ws` has what is needed of it.
    realtime: { transport: WebSocket as unknown as typeof globalThis.WebSocket },
  })
  return fixture.own(made)
}

const sign = (expiresIn: number) =>
  fixture.backend.keys.sign({
    sub: 'ada',
    role: 'authenticated',
    exp: Math.floor(Date.now() / 1000) + expiresIn,
  })

describe('one read that is refused does not end what was followed', () => {
  it('with a token that has just expired', { timeout: 90_000 }, async () => {
    const fresh = await sign(3_600)
    let token = fresh
    const supabase = clientWith(() => Promise.resolve(token))
    const runId = await fixture.startRun('wait', { name: 'Ada' })
    const { result, wrapper, reported } = mountApp(supabase, () => useRun(runId), fast)
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
    fixture.gate.open()
    await until(() => result.run.value?.status === 'completed')
    wrapper.unmount()
  })

  it('without its session, of a private run', { timeout: 90_000 }, async () => {
    await fixture.backend.db.query(`select pgflow_realtime.set_visibility('private')`)
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
      await fixture.backend.db.query(`select pgflow_realtime.set_visibility('public')`)
    }
  })
})
