import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { useFlow, usePgflowListStore, useRun, useRuns, type UseRunsReturn } from 'pinia-pgflow'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { nextTick, ref, shallowRef, watch } from 'vue'
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
const Other = new Flow<{ name: string }>({ slug: 'other' }).step({ slug: 'only' }, () => 'done')

const fixture = useBackend([Wait, Other])

const password = 'a long password'

/** A client of a user who has just signed up. */
async function signedIn(fetch?: typeof globalThis.fetch): Promise<SupabaseClient> {
  const made = fixture.client(fetch)
  const email = `${crypto.randomUUID()}@example.com`
  const { error } = await made.auth.signUp({ email, password })
  expect(error).toBeNull()
  return made
}

/** Starts a run as another device of the user would: the store learns of it from the database only. */
async function startElsewhere(by: SupabaseClient, flow = 'wait'): Promise<string> {
  const runId = crypto.randomUUID()
  const args = { p_flow_slug: flow, p_input: { name: 'Ada' }, p_run_id: runId }
  const { error } = await by.schema('pgflow_client').rpc('start_flow_with_states', args)
  expect(error).toBeNull()
  return runId
}

const idsOf = (list: UseRunsReturn): string[] => list.runs.value.map((run) => run.run_id)
const lists = () => fixture.recording.calls.filter(({ name }) => name === 'list_runs')
const shows = (list: UseRunsReturn, ...ids: string[]) =>
  until(() => idsOf(list).join() === ids.join())
afterEach(() => {
  fixture.backend.realtime.faults.restoreReplication()
})

describe('private: a list over the feed of the user', () => {
  beforeAll(() => fixture.backend.db.query(`select pgflow_realtime.set_visibility('private')`))
  afterAll(() => fixture.backend.db.query(`select pgflow_realtime.set_visibility('public')`))

  const options = { private: true }

  it('shows each user their own runs, live, over one channel and without asking', async () => {
    const [ada, bob] = [await signedIn(fixture.recording.fetch), await signedIn()]
    const hers = mountApp(ada, () => [useRuns(), useRuns({ flow: 'wait' })] as const, options)
    const his = mountApp(bob, () => useRuns(), options)
    await until(() => hers.result.every((list) => list.connection.value.status === 'live'))
    await until(() => his.result.connection.value.status === 'live')
    expect(ada.getChannels()).toHaveLength(1)
    fixture.recording.calls.length = 0

    const first = await startElsewhere(ada)
    await shows(hers.result[0], first)
    const his1 = await startElsewhere(bob)
    const second = await startElsewhere(ada)
    await shows(hers.result[0], second, first)
    await shows(hers.result[1], second, first)
    await shows(his.result, his1)
    expect(hers.result[0].runs.value[0]).toMatchObject({ flow_slug: 'wait', status: 'started' })
    fixture.gate.open()
    await until(() => hers.result[0].runs.value.every((run) => run.status === 'completed'))
    expect(hers.result[0].runs.value[0]?.completed_at).toEqual(expect.any(String))
    expect(lists()).toEqual([])
    expect(JSON.parse(JSON.stringify(hers.store.$state))).toEqual(hers.store.$state)
    hers.wrapper.unmount()
    his.wrapper.unmount()
    expect(ada.getChannels()).toEqual([])
  })

  it('of a status, lets runs come and go [F17]', async () => {
    const ada = await signedIn()
    const { result, wrapper } = mountApp(
      ada,
      () => [useRuns({ status: 'started' }), useRuns({ status: 'completed' })] as const,
      options,
    )
    const [running, done] = result
    await until(() => result.every((list) => list.connection.value.status === 'live'))
    const id = await startElsewhere(ada)
    await shows(running, id)
    expect(idsOf(done)).toEqual([])
    fixture.gate.open()
    await shows(done, id)
    expect(idsOf(running)).toEqual([])
    wrapper.unmount()
  })

  it('is true again after the socket died and broadcasts were lost', async () => {
    const ada = await signedIn()
    const { result: list, wrapper } = mountApp(ada, () => useRuns(), options)
    const first = await startElsewhere(ada)
    await shows(list, first)
    await until(() => list.connection.value.status === 'live')
    fixture.backend.realtime.faults.loseReplication()
    fixture.backend.realtime.faults.killSockets()
    await until(() => list.connection.value.status !== 'live')
    const second = await startElsewhere(ada)
    fixture.backend.realtime.faults.restoreReplication()
    await until(() => list.connection.value.status === 'live')
    expect(idsOf(list)).toEqual([second, first])
    wrapper.unmount()
  })

  it('becomes that of the user who signs in, and is live', async () => {
    const [ada, bob] = [await signedIn(), await signedIn()]
    const email = (await bob.auth.getUser()).data.user?.email ?? ''
    const [hers, his] = [await startElsewhere(ada), await startElsewhere(bob)]
    const { result: list, lists, wrapper } = mountApp(ada, () => useRuns(), options)
    await until(() => list.connection.value.status === 'live')
    expect(idsOf(list)).toEqual([hers])
    expect((await ada.auth.signInWithPassword({ email, password })).error).toBeNull()
    await shows(list, his)
    expect(lists.summaries).not.toHaveProperty(hers)
    await until(() => list.connection.value.status === 'live')
    const next = await startElsewhere(bob)
    await shows(list, next, his)
    wrapper.unmount()
    expect(ada.getChannels()).toEqual([])
  })

  it('is closed while nobody is signed in, requests no more, and is back after a sign-in', async () => {
    const ada = await signedIn(fixture.recording.fetch)
    const email = (await ada.auth.getUser()).data.user?.email ?? ''
    const id = await startElsewhere(ada)
    const { result: list, wrapper, reported } = mountApp(ada, () => useRuns(), options)
    await shows(list, id)
    await ada.auth.signOut()
    await until(() => list.error.value?.code === 'not_signed_in')
    expect(list.connection.value.status).toBe('closed')
    expect(idsOf(list)).toEqual([])
    expect(list.isLoading.value).toBe(false)
    expect(reported.filter(({ code }) => code === 'not_signed_in')).toHaveLength(1)
    const asked = lists().length
    await list.refresh().catch(() => undefined)
    expect(lists()).toHaveLength(asked + 1)
    await ada.auth.signInWithPassword({ email, password })
    await shows(list, id)
    await until(() => list.connection.value.status === 'live')
    wrapper.unmount()
  })

  it('follows the user of a client with tokens of its own', async () => {
    const users = [crypto.randomUUID(), crypto.randomUUID()]
    let [sub] = users
    const { createClient } = await import('@supabase/supabase-js')
    const { WebSocket } = await import('ws')
    const tokens = createClient(fixture.backend.url, fixture.backend.anonKey, {
      accessToken: () => {
        const exp = Math.floor(Date.now() / 1000) + 3_600
        return fixture.backend.keys.sign({ sub: sub ?? '', role: 'authenticated', exp })
      },
      realtime: {
        // Typed for browsers; `ws` has what is needed of it.
        transport: WebSocket as unknown as typeof globalThis.WebSocket,
      },
    })
    fixture.own(tokens)
    const { result: list, wrapper } = mountApp(tokens, () => useRuns(), options)
    await until(() => list.connection.value.status === 'live')
    const first = await startElsewhere(tokens)
    await shows(list, first)
    sub = users[1]
    const second = await startElsewhere(tokens)
    // What the client does by itself with each heartbeat.
    await tokens.realtime.setAuth()
    await shows(list, second)
    await until(() => list.connection.value.status === 'live')
    const third = await startElsewhere(tokens)
    await shows(list, third, second)
    wrapper.unmount()
  })
})

describe('public: a list without a feed', () => {
  it('is polled: runs of other devices come and change', async () => {
    const ada = await signedIn()
    const { result: list, wrapper } = mountApp(ada, () => useRuns(), fast)
    await until(() => list.connection.value.status === 'polling')
    const id = await startElsewhere(ada)
    await shows(list, id)
    fixture.gate.open()
    await until(() => list.runs.value[0]?.status === 'completed')
    wrapper.unmount()
    expect(ada.getChannels()).toEqual([])
  })

  it('shows what is started and followed here without asking', async () => {
    const ada = await signedIn(fixture.recording.fetch)
    const { result, wrapper } = mountApp(ada, () => ({
      flow: useFlow<typeof Wait>('wait'),
      every: useRuns(),
      running: useRuns({ flow: 'wait', status: 'started' }),
      others: useRuns({ flow: 'other' }),
    }))
    const { flow, every, running, others } = result
    // What a component would render beside each status of the run.
    const rendered: (string | undefined)[] = []
    const stop = watch(flow.status, (status) => {
      if (status === 'completed') rendered.push(every.runs.value[0]?.status)
    })
    await Promise.all([every.ready, running.ready, others.ready])
    fixture.recording.calls.length = 0
    const { run_id } = await flow.startAsync({ name: 'Ada' })
    expect(idsOf(every)).toEqual([run_id])
    expect(idsOf(running)).toEqual([run_id])
    expect(idsOf(others)).toEqual([])
    // So that the end is heard, and not read.
    await until(() => flow.connection.value.status === 'live')
    fixture.gate.open()
    await until(() => flow.status.value === 'completed')
    expect(every.runs.value[0]).toMatchObject({ status: 'completed', remaining_steps: 0 })
    expect(idsOf(running)).toEqual([])
    expect(rendered).toEqual(['completed'])
    expect(lists().filter(({ args }) => args.p_status === null)).toEqual([])
    stop()
    wrapper.unmount()
  })

  it('never shows the run of somebody else that is followed here', async () => {
    const [ada, bob] = [await signedIn(), await signedIn()]
    const his = await startElsewhere(bob)
    const { result, wrapper } = mountApp(ada, () => ({ list: useRuns(), run: useRun(his) }))
    await until(() => result.run.connection.value.status === 'live')
    fixture.gate.open()
    await until(() => result.run.run.value?.status === 'completed')
    expect(idsOf(result.list)).toEqual([])
    wrapper.unmount()
  })

  it('comes in pages that neither repeat nor skip, whatever is started meanwhile', async () => {
    const ada = await signedIn()
    const ids: string[] = []
    for (let n = 0; n < 5; n += 1) ids.unshift(await startElsewhere(ada))
    const { result: list, wrapper } = mountApp(ada, () => useRuns({ pageSize: 2 }))
    expect(list.isLoading.value).toBe(true)
    await list.ready
    expect(idsOf(list)).toEqual(ids.slice(0, 2))
    expect(list.hasMore.value).toBe(true)
    const newest = await startElsewhere(ada)
    await list.loadMore()
    expect(idsOf(list)).toEqual(ids.slice(0, 4))
    await list.refresh()
    expect(idsOf(list)).toEqual([newest, ...ids.slice(0, 3)])
    await Promise.all([list.loadMore(), list.loadMore()])
    expect(idsOf(list)).toEqual([newest, ...ids])
    expect(list.hasMore.value).toBe(false)
    wrapper.unmount()
  })

  it('is not_signed_in without a user, after one request', async () => {
    const { result: list, wrapper } = mountApp(
      fixture.client(fixture.recording.fetch),
      () => useRuns(),
      fast,
    )
    await until(() => list.error.value?.code === 'not_signed_in')
    expect(list.error.value?.hint).toContain('Sign in')
    expect(list.connection.value.status).toBe('closed')
    await expect(list.refresh()).rejects.toMatchObject({ code: 'not_signed_in' })
    expect(lists()).toHaveLength(2)
    wrapper.unmount()
  })

  it('is there as soon as somebody signs in, and follows nobody once it is gone', async () => {
    const ada = await signedIn()
    const email = (await ada.auth.getUser()).data.user?.email ?? ''
    const id = await startElsewhere(ada)
    const other = fixture.client(fixture.recording.fetch)
    const { result: list, wrapper } = mountApp(other, () => useRuns())
    await until(() => list.error.value?.code === 'not_signed_in')
    await other.auth.signInWithPassword({ email, password })
    await shows(list, id)
    expect(list.error.value).toBeNull()
    wrapper.unmount()
    const asked = lists().length
    await other.auth.signOut()
    await nextTick()
    expect(lists()).toHaveLength(asked)
  })
})

describe('the query of useRuns', () => {
  it('may change: the old list is released, the new one read', async () => {
    const ada = await signedIn()
    const [wait, other] = [await startElsewhere(ada), await startElsewhere(ada, 'other')]
    const flow = ref<string | null>('wait')
    const { result, lists, wrapper } = mountApp(ada, () => useRuns(() => ({ flow: flow.value })), {
      gcTime: 0,
    })
    await shows(result, wait)
    flow.value = 'other'
    expect(idsOf(result)).toEqual([])
    await shows(result, other)
    await until(() => Object.keys(lists.lists).length === 1)
    flow.value = null
    await shows(result, other, wait)
    await until(() => Object.keys(lists.lists).length === 1)
    wrapper.unmount()
    // Without an app nobody says any more who is signed in.
    expect(lists.lists).toEqual({})
  })

  it('is compared by value: an equal new object requests nothing [F14]', async () => {
    const ada = await signedIn(fixture.recording.fetch)
    const query = shallowRef<{ flow: string; status?: undefined }>({ flow: 'wait' })
    const { result, wrapper } = mountApp(ada, () => [useRuns(query), useRuns({ flow: 'wait' })])
    await Promise.all(result.map((list) => list.ready))
    query.value = { flow: 'wait' }
    query.value = { flow: 'wait', status: undefined }
    await nextTick()
    expect(lists()).toHaveLength(1)
    wrapper.unmount()
  })

  it('cannot have a page of nothing', () => {
    const { result: store, wrapper } = mountApp(fixture.client(), () => usePgflowListStore())
    for (const pageSize of [0, -1, 1.5, NaN]) {
      expect(() => store.observeRuns({ pageSize })).toThrow('The pageSize of a list')
    }
    wrapper.unmount()
  })
})

describe('the list store', () => {
  it('reads a page, and continues from its cursor', async () => {
    const ada = await signedIn()
    const ids = [await startElsewhere(ada), await startElsewhere(ada), await startElsewhere(ada)]
    const { result: store, wrapper } = mountApp(ada, () => usePgflowListStore())
    const first = await store.fetchRuns({ flow: 'wait', pageSize: 2 })
    expect(first.runs.map((run) => run.run_id)).toEqual([ids[2], ids[1]])
    expect(store.lists).toEqual({})
    const second = await store.fetchRuns({ flow: 'wait', pageSize: 2 }, first.cursor)
    expect(second).toMatchObject({ runs: [{ run_id: ids[0] }], cursor: null })
    await expect(store.fetchRuns({ pageSize: 101 })).rejects.toMatchObject({
      code: 'invalid_input',
    })
    await expect(store.fetchRuns({}, 'x')).rejects.toMatchObject({ code: 'invalid_input' })
    wrapper.unmount()
  })

  it('$reset reads the lists that are observed again', async () => {
    const ada = await signedIn()
    const id = await startElsewhere(ada)
    const { result: list, store, wrapper } = mountApp(ada, () => useRuns())
    await shows(list, id)
    store.$reset()
    expect(idsOf(list)).toEqual([])
    await shows(list, id)
    wrapper.unmount()
  })
})
