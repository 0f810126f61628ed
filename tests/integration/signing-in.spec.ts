import { Flow } from '@pgflow/dsl'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { useFlow, useRun } from 'pinia-pgflow'
import { beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { mountApp } from '../support/app.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'

const Wait = new Flow<{ name: string }>({ slug: 'wait' }).step({ slug: 'only' }, async () => {
  await fixture.gate.wait()
  return 'done'
})

const fixture = useBackend([Wait])

beforeAll(async () => {
  await fixture.backend.db.query(`select pgflow_realtime.set_visibility('private')`)
})

const password = 'a long password'

/** Somebody who has signed up, and is signed in with this client. */
async function signUp(supabase: SupabaseClient): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`
  expect((await supabase.auth.signUp({ email, password })).error).toBeNull()
  return email
}

const mountFlow = (supabase: SupabaseClient) =>
  mountApp(supabase, () => useFlow<typeof Wait>('wait'), { private: true })

it('nobody signed in: nothing can be started, and the fix is named', async () => {
  const { result: flow, wrapper } = mountFlow(fixture.client())
  await expect(flow.startAsync({ name: 'Ada' })).rejects.toMatchObject({ code: 'not_signed_in' })
  expect(flow.error.value?.hint).toMatch(/sign in/i)
  wrapper.unmount()
})

it('a user known by a token alone, such as an anonymous one, has runs of their own [F28]', async () => {
  const exp = Math.floor(Date.now() / 1000) + 3600
  const claims = { role: 'authenticated', is_anonymous: true, exp }
  const tokens = await Promise.all(
    ['auth|one', 'auth|two'].map((sub) => fixture.backend.keys.sign({ sub, ...claims })),
  )
  const [one, two] = tokens.map((token) => {
    const made = createClient(fixture.backend.url, fixture.backend.anonKey, {
      accessToken: () => Promise.resolve(token),
      // Typed for browsers; `ws` has what is needed of it.
      realtime: { transport: WebSocket as unknown as typeof globalThis.WebSocket },
    })
    return fixture.own(made)
  })
  if (!one || !two) throw new Error('no clients')
  const { result: flow, wrapper, reported } = mountFlow(one)
  const { run_id } = await flow.startAsync({ name: 'Ada' })
  await until(() => flow.connection.value.status === 'live')
  // Not refused first, as a join without the token is.
  expect(reported).toEqual([])
  const other = mountApp(two, () => useRun(run_id), { private: true })
  await until(() => other.result.error.value?.code === 'run_not_found')
  fixture.gate.open()
  await until(() => flow.status.value === 'completed')
  wrapper.unmount()
  other.wrapper.unmount()
})

it('signing in after a run was refused: refresh shows it, and it is live', async () => {
  const supabase = fixture.client()
  const email = await signUp(supabase)
  const started = mountFlow(supabase)
  const { run_id } = await started.result.startAsync({ name: 'Ada' })
  started.wrapper.unmount()
  await supabase.auth.signOut({ scope: 'local' })

  const { result: view, wrapper } = mountApp(supabase, () => useRun(run_id), { private: true })
  await until(() => view.error.value?.code === 'run_not_found')
  expect(view.connection.value.status).toBe('closed')
  expect((await supabase.auth.signInWithPassword({ email, password })).error).toBeNull()
  await view.refresh()
  expect(view.run.value?.input).toEqual({ name: 'Ada' })
  await until(() => view.connection.value.status === 'live')
  expect(view.error.value).toBeNull()
  fixture.gate.open()
  await until(() => view.run.value?.status === 'completed')
  wrapper.unmount()
})

it('a token that is refreshed meanwhile: the channel stays, and keeps receiving [F29]', async () => {
  const supabase = fixture.client()
  await signUp(supabase)
  const { result: flow, traced, wrapper } = mountFlow(supabase)
  await flow.startAsync({ name: 'Ada' })
  await until(() => flow.connection.value.status === 'live')
  const left: string[] = []
  const removeChannel = supabase.removeChannel.bind(supabase)
  supabase.removeChannel = (channel) => {
    if (flow.status.value !== 'completed') left.push(channel.topic)
    return removeChannel(channel)
  }
  const heard = traced('event')
  expect((await supabase.auth.refreshSession()).error).toBeNull()
  fixture.gate.open()
  await until(() => flow.status.value === 'completed')
  expect(left).toEqual([])
  expect(traced('event')).toBeGreaterThan(heard)
  wrapper.unmount()
})
