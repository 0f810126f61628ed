import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { beforeEach, describe, expect, it } from 'vitest'
import { systemScheduler } from '../../src/model/scheduler.ts'
import { createSupabaseTransport } from '../../src/transport/supabase-transport.ts'
import type { PgflowTransport, SessionChange } from '../../src/transport/types.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'

// What the transport tells of the session, and of how far runs have come, over the real client.

// Its step starts after the test: nothing happens to a run by itself.
const One = new Flow<{ n: number }>({ slug: 'one' }).step(
  { slug: 'only', startDelay: 600 },
  () => 1,
)

const fixture = useBackend([One], { isRecorded: true })
let transport: PgflowTransport
let signal: AbortSignal
beforeEach(() => {
  signal = new AbortController().signal
  transport = transportOf(fixture.supabase)
})

function transportOf(client: SupabaseClient, schema: 'pgflow' | 'pgflow_client' = 'pgflow_client') {
  const scheduler = systemScheduler()
  return createSupabaseTransport({ supabase: client, scheduler, schema, isPrivate: false })
}

const password = 'a long password'

async function signUp(client: SupabaseClient): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`
  expect((await client.auth.signUp({ email, password })).error).toBeNull()
  return email
}

describe('fetchSeqs', () => {
  const start = async () => {
    const id = crypto.randomUUID()
    return (await transport.startFlow('one', { n: 1 }, id, signal)).run.run_id
  }
  const fetchSeqs = (ids: readonly string[]) => {
    if (!transport.fetchSeqs) throw new Error('runs are counted')
    return transport.fetchSeqs(ids, signal)
  }
  const seqCalls = () =>
    fixture.recording.calls
      .filter(({ name }) => name === 'get_run_seqs')
      .map(({ args }) => args.p_run_ids)

  it('returns the seq of each run that its snapshot has', async () => {
    const ids = [await start(), await start()]
    const [unknown, noId] = [crypto.randomUUID(), 'constructor']
    const seqs = await fetchSeqs([...ids, unknown, noId, ...ids])
    const runs = await transport.fetchRuns(ids, signal)
    expect([...seqs.keys()].sort()).toEqual([...ids].sort())
    for (const [id, run] of runs) expect(run).toHaveProperty('seq', seqs.get(id))
    // Each once, and no id that Postgres would refuse.
    expect(seqCalls()).toEqual([[...ids, unknown]])
  })

  it('requests nothing for no runs', async () => {
    expect((await fetchSeqs([])).size).toBe(0)
    expect((await fetchSeqs(['__proto__'])).size).toBe(0)
    expect(fixture.recording.calls).toEqual([])
  })

  it('sends several requests for more runs than one call accepts', async () => {
    const [first, last] = [await start(), await start()]
    const others = Array.from({ length: 399 }, () => crypto.randomUUID())
    const seqs = await fetchSeqs([first, ...others, last])
    expect([...seqs.keys()]).toEqual([first, last])
    expect(seqCalls().map((ids) => (ids as string[]).length)).toEqual([200, 200, 1])
  })

  it.each([
    ['a run that was not asked for', () => ({ [crypto.randomUUID()]: 1 })],
    ['a key that is no id', () => JSON.parse('{ "__proto__": 1 }') as unknown],
    ['a negative count', (id: string) => ({ [id]: -1 })],
    ['a count that is not whole', (id: string) => ({ [id]: 1.5 })],
    ['a count that is none', (id: string) => ({ [id]: '7' })],
    ['no count', (id: string) => ({ [id]: null })],
    ['rows', (id: string) => [{ [id]: 1 }]],
  ])('refuses %s', async (_what, answer) => {
    const id = await start()
    fixture.recording.tamper = () => answer(id)
    await expect(fetchSeqs([id])).rejects.toMatchObject({ code: 'malformed_reply' })
  })

  it('is not there with plain pgflow, which does not count', () => {
    expect(transportOf(fixture.supabase, 'pgflow').fetchSeqs).toBeNull()
  })

  it('does not wait for what only explains its failure', async () => {
    const controller = new AbortController()
    fixture.recording.tamper = () => {
      fixture.recording.isLost = true
      return []
    }
    const asked = transport.fetchSeqs?.([crypto.randomUUID()], controller.signal)
    await until(() => fixture.recording.calls.at(-1)?.name === 'api_version')
    controller.abort()
    await expect(asked).rejects.toMatchObject({ code: 'malformed_reply' })
  })

  it('gives up when its caller does', async () => {
    const controller = new AbortController()
    fixture.recording.isLost = true
    const asked = transport.fetchSeqs?.([crypto.randomUUID()], controller.signal)
    await until(() => fixture.recording.calls.length === 1)
    controller.abort()
    await expect(asked).rejects.toMatchObject({ code: 'aborted' })
  })
})

describe('watchSession', () => {
  function watched() {
    const changes: SessionChange[] = []
    const stop = transport.watchSession((change) => changes.push(change))
    return { changes, stop }
  }
  const turn = () => new Promise((resolve) => setTimeout(resolve))
  /** The client has told of its first session, whichever that is. */
  async function told() {
    await fixture.supabase.auth.getSession()
    await turn()
  }

  const tokenOf = async () => (await fixture.supabase.auth.getSession()).data.session?.access_token
  /** Until it is another one: a token says in which second it was made, and nothing finer. */
  async function renewToken(renew: () => Promise<unknown>) {
    const known = await tokenOf()
    const isOther = async () => {
      await renew()
      return (await tokenOf()) !== known
    }
    await expect.poll(isOther, { timeout: 5_000, interval: 100 }).toBe(true)
  }

  it('reports a sign-in, another user, and a sign-out', async () => {
    const { changes, stop } = watched()
    await told()
    expect(changes).toEqual([])
    const ada = await signUp(fixture.supabase)
    await until(() => changes.length === 1)
    await signUp(fixture.supabase)
    await until(() => changes.length === 2)
    await fixture.supabase.auth.signInWithPassword({ email: ada, password })
    await until(() => changes.length === 3)
    await fixture.supabase.auth.signOut({ scope: 'local' })
    await until(() => changes.length === 4)
    expect(changes).toEqual(['user', 'user', 'user', 'user'])
    stop()
  })

  it('reports another token of the same user, and not the same token', async () => {
    const email = await signUp(fixture.supabase)
    const { changes, stop } = watched()
    await told()
    await renewToken(() => fixture.supabase.auth.refreshSession())
    await until(() => changes.length === 1)
    await renewToken(() => fixture.supabase.auth.signInWithPassword({ email, password }))
    await until(() => changes.length > 1)
    expect(new Set(changes)).toEqual(new Set(['token']))
    const count = changes.length
    await fixture.supabase.auth.updateUser({ data: { name: 'Ada' } })
    await turn()
    expect(changes).toHaveLength(count)
    stop()
  })

  it('reports the user once where token and user change in one turn', async () => {
    const scheduled: (() => void)[] = []
    const scheduler = {
      ...systemScheduler(),
      after: (_ms: number, task: () => void) => {
        scheduled.splice(0, scheduled.length, task)
        return () => scheduled.splice(0)
      },
    }
    const options = {
      supabase: fixture.supabase,
      scheduler,
      schema: 'pgflow_client',
      isPrivate: false,
    } as const
    const changes: SessionChange[] = []
    const stop = createSupabaseTransport(options).watchSession((change) => changes.push(change))
    await told()
    await signUp(fixture.supabase)
    await renewToken(() => fixture.supabase.auth.refreshSession())
    for (const task of scheduled) task()
    expect(changes).toEqual(['user'])
    stop()
  })

  it('may call the client within the callback, and reports nothing after its end', async () => {
    const users: unknown[] = []
    const stop = transport.watchSession(() => {
      void fixture.supabase.auth.getUser().then(({ data }) => users.push(data.user?.email))
    })
    const email = await signUp(fixture.supabase)
    await until(() => users.length === 1)
    expect(users).toEqual([email])
    stop()
    await signUp(fixture.supabase)
    await turn()
    expect(users).toHaveLength(1)
  })
})
