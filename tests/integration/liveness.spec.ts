import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { useFlow, useRun } from 'pinia-pgflow'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { mountApp } from '../support/app.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { fastScheduler } from '../support/fast-scheduler.ts'

/** Waits of minutes are seen in seconds; answers may take as long as they really do. */
const fast = { scheduler: fastScheduler(30), startTimeout: 300_000, snapshotTimeout: 300_000 }
const Wait = new Flow<{ name: string }>({ slug: 'wait' }).step({ slug: 'only' }, async () => {
  await fixture.gate.wait()
  return 'done'
})

const fixture = useBackend([Wait])

afterEach(() => {
  fixture.backend.realtime.faults.restoreReplication()
})

describe('silence', () => {
  it('is not trusted: a broadcast lost without a trace is found by asking [F2] [F32]', async () => {
    const { result: flow, wrapper } = mountApp(
      fixture.client(),
      () => useFlow<typeof Wait>('wait'),
      {
        ...fast,
      },
    )
    await flow.startAsync({ name: 'Ada' })
    await until(() => flow.connection.value.status === 'live')
    fixture.backend.realtime.faults.loseReplication()
    fixture.gate.open()
    await until(() => flow.status.value === 'completed')
    expect(flow.step('only')?.output).toBe('done')
    wrapper.unmount()
  })

  it('Realtime out of reach: the run advances by polling, which its status shows [F21]', async () => {
    const supabase = fixture.client()
    // Whatever is joined is never answered, as with a socket that a proxy swallows.
    supabase.realtime.connect = () => undefined
    const { result: flow, wrapper } = mountApp(supabase, () => useFlow<typeof Wait>('wait'), {
      ...fast,
    })
    await flow.startAsync({ name: 'Ada' })
    fixture.gate.open()
    await until(() => flow.status.value === 'completed')
    await until(() => flow.connection.value.status === 'closed')
    wrapper.unmount()
  })
})

describe('many runs', () => {
  /** A fetch that remembers which RPCs it was used for. */
  function countingFetch() {
    const calls: string[] = []
    const counting: typeof globalThis.fetch = (input, init) => {
      const url = input instanceof Request ? input.url : String(input)
      calls.push(url.slice(url.lastIndexOf('/') + 1))
      return fetch(input, init)
    }
    return { counting, calls }
  }

  async function startRuns(count: number): Promise<string[]> {
    const rows = await fixture.backend.db.query<{ run_id: string }>(
      `select (pgflow.start_flow('wait', jsonb_build_object('name', n))).run_id
       from generate_series(1, $1::int) as n`,
      [count],
    )
    return rows.map((row) => row.run_id)
  }

  it('100 of them ask once after a reconnect, and every one is right [C2]', async () => {
    const ids = await startRuns(100)
    const { counting, calls } = countingFetch()
    const useAll = () => ids.map((id) => useRun(id))
    const { result, store, wrapper } = mountApp(fixture.client(counting), useAll, {
      maxChannels: 100,
    })
    await until(() => result.every((view) => view.connection.value.status === 'live'))

    calls.length = 0
    fixture.backend.realtime.faults.killSockets()
    await until(() => result.every((view) => view.connection.value.status !== 'live'))
    const [changed] = ids
    await fixture.backend.db.query(
      `update pgflow.step_states set status = 'failed', failed_at = now(), error_message = 'by hand'
       where run_id = $1`,
      [changed],
    )
    await until(() => result.every((view) => view.connection.value.status === 'live'))
    expect(calls).toEqual(['get_runs_with_states'])
    expect(store.stepOf(changed ?? '', 'only')).toMatchObject({ error_message: 'by hand' })
    wrapper.unmount()
  })

  it('past the channel budget they are polled, until a channel is free [F27]', async () => {
    const ids = await startRuns(3)
    const supabase = fixture.client()
    const { result, wrapper } = mountApp(supabase, () => ids.map((id) => useRun(id)), {
      maxChannels: 2,
      ...fast,
    })
    await until(() => result.every((view) => view.run.value !== null))
    await until(() => {
      const statuses = result.map((view) => view.connection.value.status).sort()
      return statuses.join() === 'live,live,polling'
    })
    expect(supabase.getChannels()).toHaveLength(2)
    fixture.gate.open()
    await until(() => result.every((view) => view.run.value?.status === 'completed'))
    await until(() => supabase.getChannels().length === 0)
    wrapper.unmount()
  })
})

describe('private runs', () => {
  let owner: SupabaseClient
  beforeAll(async () => {
    await fixture.backend.db.query(`select pgflow_realtime.set_visibility('private')`)
  })
  afterAll(async () => {
    await fixture.backend.db.query(`select pgflow_realtime.set_visibility('public')`)
  })
  beforeEach(async () => {
    owner = fixture.client()
    const email = `${crypto.randomUUID()}@example.com`
    const { error } = await owner.auth.signUp({ email, password: 'a long password' })
    expect(error).toBeNull()
  })

  it('are live for the user who started them, and do not exist for anybody else', async () => {
    const {
      result: flow,
      traced,
      wrapper,
    } = mountApp(owner, () => useFlow<typeof Wait>('wait'), { private: true })
    const { run_id } = await flow.startAsync({ name: 'Ada' })
    await until(() => flow.connection.value.status === 'live')

    const stranger = mountApp(fixture.client(), () => useRun(run_id), { private: true })
    await until(() => stranger.result.error.value?.code === 'run_not_found')
    expect(stranger.result.run.value).toBeNull()
    stranger.wrapper.unmount()

    fixture.gate.open()
    await until(() => flow.status.value === 'completed')
    expect(traced('gap')).toBe(0)
    wrapper.unmount()
  })

  it('over public channels are not received but polled', async () => {
    const { result: flow, wrapper } = mountApp(owner, () => useFlow<typeof Wait>('wait'), {
      ...fast,
    })
    await flow.startAsync({ name: 'Ada' })
    fixture.gate.open()
    await until(() => flow.status.value === 'completed')
    wrapper.unmount()
  })

  it('come back when the token expires and the server closes the channel [F29]', async () => {
    const { data } = await owner.auth.getUser()
    const sub = data.user?.id ?? ''
    let seconds = 3
    const tokens: string[] = []
    const { createClient } = await import('@supabase/supabase-js')
    const { WebSocket } = await import('ws')
    const expiring = createClient(fixture.backend.url, fixture.backend.anonKey, {
      accessToken: async () => {
        const exp = Math.floor(Date.now() / 1000) + seconds
        const token = await fixture.backend.keys.sign({ sub, role: 'authenticated', exp })
        tokens.push(token)
        return token
      },
      realtime: {
        // Typed for browsers; `ws` has what is needed of it.
        transport: WebSocket as unknown as typeof globalThis.WebSocket,
      },
    })
    const {
      result: flow,
      store,
      wrapper,
    } = mountApp(expiring, () => useFlow<typeof Wait>('wait'), {
      private: true,
      scheduler: fastScheduler(10),
    })
    const { run_id } = await flow.startAsync({ name: 'Ada' })
    await until(() => flow.connection.value.status === 'live')
    const joined = tokens.length
    await until(() => store.connections[run_id]?.status !== 'live')
    seconds = 3600
    await until(() => store.connections[run_id]?.status === 'live')
    expect(tokens.length).toBeGreaterThan(joined)
    fixture.gate.open()
    await until(() => flow.status.value === 'completed')
    wrapper.unmount()
    await expiring.removeAllChannels()
  })
})
