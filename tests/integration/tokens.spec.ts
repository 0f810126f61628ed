import { Flow } from '@pgflow/dsl'
import { createClient } from '@supabase/supabase-js'
import { useRun, useRuns } from 'pinia-pgflow'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { SessionChange } from '../../src/transport/types.ts'
import { createSupabaseTransport } from '../../src/transport/supabase-transport.ts'
import { mountApp } from '../support/app.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { fastScheduler } from '../support/fast-scheduler.ts'

// Known from supabase/auth-js#762, supabase/supabase-js#2426 and nuxt-modules/supabase#273: whoever
// is asked for the token does not answer, once, or answers late.

// Its step starts after the test: nothing happens to a run by itself.
const Later = new Flow<{ n: number }>({ slug: 'later' }).step(
  { slug: 'a', startDelay: 600 },
  () => 1,
)

const fixture = useBackend([Later])
let supabase: ReturnType<typeof connectWithToken>
/** What the app's `accessToken` does. */
let accessToken: () => Promise<string | null>
beforeAll(async () => {
  await fixture.backend.db.query(`select pgflow_realtime.set_visibility('private')`)
})

beforeEach(async () => {
  const token = await tokenOf('ada')
  accessToken = () => Promise.resolve(token)
  supabase = connectWithToken()
})

afterEach(() => supabase.removeAllChannels())

function connectWithToken() {
  return createClient(fixture.backend.url, fixture.backend.anonKey, {
    accessToken: () => accessToken(),
    realtime: {
      // Typed for browsers; `ws` has what is needed of it.
      transport: WebSocket as unknown as typeof globalThis.WebSocket,
      reconnectAfterMs: () => 20,
    },
  })
}

const now = () => Math.floor(Date.now() / 1000)
/** Tokens of one user differ by `serial`. */
const tokenOf = (sub: string, serial = 0) =>
  fixture.backend.keys.sign({ sub, serial, role: 'authenticated', exp: now() + 3600 })
const hang = () => new Promise<never>(() => {})

/** Waits of minutes are seen in seconds; a request may take as long as it does. */
const scheduler = fastScheduler(30)
const fast = { private: true, scheduler, startTimeout: 300_000, snapshotTimeout: 90_000 }

async function startedRun(): Promise<string> {
  const args = { p_flow_slug: 'later', p_input: { n: 1 }, p_run_id: crypto.randomUUID() }
  const api = supabase.schema('pgflow_client')
  expect((await api.rpc('start_flow_with_states', args)).error).toBeNull()
  return args.p_run_id
}

describe('a token that does not come, once,', () => {
  it('keeps a run from its channel for a while only, and reports it meanwhile', async () => {
    const runId = await startedRun()
    let asked = 0
    accessToken = () => ((asked += 1), hang())
    const { result, wrapper, reported } = mountApp(supabase, () => useRun(runId), fast)
    await until(() => asked > 0)
    const token = await tokenOf('ada')
    // The request that waits for the token is given up later than the join.
    await until(() => reported.some(({ code }) => code === 'timeout'))
    expect(reported[0]).toMatchObject({ message: expect.stringMatching(/token/) as string })
    accessToken = () => Promise.resolve(token)
    await until(() => result.connection.value.status === 'live')
    expect(result.error.value).toBeNull()
    wrapper.unmount()
  })

  it('keeps the channel of a list from being joined for a while only', async () => {
    await startedRun()
    let asked = 0
    accessToken = () => ((asked += 1), hang())
    const { result, wrapper } = mountApp(supabase, () => useRuns(), fast)
    await until(() => asked > 1)
    const token = await tokenOf('ada')
    accessToken = () => Promise.resolve(token)
    await until(() => result.connection.value.status === 'live')
    expect(result.runs.value.length).toBeGreaterThan(0)
    wrapper.unmount()
  })

  it('keeps a lost socket from coming back for a while only', async () => {
    const runId = await startedRun()
    const { result, wrapper } = mountApp(supabase, () => useRun(runId), fast)
    await until(() => result.connection.value.status === 'live')
    const good = accessToken
    accessToken = hang
    // As the client does with each heartbeat; it waits for the token before it connects again.
    void supabase.realtime.setAuth()
    fixture.backend.realtime.faults.killSockets()
    await until(() => result.connection.value.status !== 'live')
    accessToken = good
    await until(() => result.connection.value.status === 'live')
    wrapper.unmount()
  })
})

describe('several channels that are joined at once', () => {
  it('are joined with the token that comes late, and not with the one before', async () => {
    const expired = await fixture.backend.keys.sign({
      sub: 'ada',
      role: 'authenticated',
      exp: now() - 60,
    })
    const runIds = [await startedRun(), await startedRun(), await startedRun()]
    await supabase.realtime.setAuth()
    supabase.realtime.accessTokenValue = expired
    supabase.realtime.connect()
    await until(() => supabase.realtime.isConnected())
    supabase.realtime.accessTokenValue = expired
    const good = accessToken
    accessToken = async () => {
      await new Promise((resolve) => setTimeout(resolve, 30))
      return good()
    }
    const transport = transportOf()
    const heard: string[] = []
    const channels = runIds.map((runId) =>
      transport.openChannel(runId, {
        onEvent: () => {},
        onMalformed: ({ message }) => heard.push(message),
        onJoined: () => heard.push('joined'),
        onDown: ({ message }) => heard.push(message),
      }),
    )
    await until(() => heard.length >= 3)
    expect(heard.slice(0, 3)).toEqual(['joined', 'joined', 'joined'])
    for (const channel of channels) channel.close()
  })
})

function transportOf() {
  return createSupabaseTransport({ supabase, scheduler, schema: 'pgflow_client', isPrivate: true })
}

describe('watchSession of a client with tokens of its own', () => {
  it('reports another token and another user, once they are noticed', async () => {
    const changes: SessionChange[] = []
    await supabase.realtime.setAuth()
    const stop = transportOf().watchSession((change) => changes.push(change))
    const become = async (token: string | null) => {
      accessToken = () => Promise.resolve(token)
      await supabase.realtime.setAuth()
      // Longer than it takes to be seen.
      await new Promise<void>((resolve) => scheduler.after(12_000, resolve))
    }
    await become(await accessToken())
    expect(changes).toEqual([])
    await become(await tokenOf('ada', 1))
    const bob = await tokenOf('bob')
    await become(bob)
    expect(changes).toEqual(['token', 'user'])
    // Nobody for a moment is nobody else.
    await become(null)
    await become(bob)
    expect(changes).toEqual(['token', 'user'])
    stop()
    await become(await tokenOf('ada'))
    expect(changes).toEqual(['token', 'user'])
  })
})
