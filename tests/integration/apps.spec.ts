import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { createPinia, type Pinia } from 'pinia'
import { createPgflow, useFlow, usePgflowStore, useRun, type PgflowOptions } from 'pinia-pgflow'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp, defineComponent, h, nextTick, reactive, ref, watchEffect } from 'vue'
import type { Backend } from '../../playground/backend/index.ts'
import { mountApp } from '../support/app.ts'
import { bootBackend, connect, createGate, until, type Gate } from '../support/backend.ts'
import { Recording } from './support/recording.ts'

let gate: Gate
const Wait = new Flow<{ name: string }>({ slug: 'wait' }).step(
  { slug: 'only' },
  async ({ run }) => {
    await gate.wait()
    return `Hello ${run.name}`
  },
)
const Secret = new Flow<{ name: string }>({ slug: 'secret' }).step({ slug: 'only' }, () => 1)

let backend: Backend
let recording: Recording
const clients: SupabaseClient[] = []

function client(fetch?: typeof globalThis.fetch): SupabaseClient {
  const made = connect(backend, fetch)
  clients.push(made)
  return made
}

type Options = Omit<Partial<PgflowOptions>, 'supabase'>

/** An app of its own on a Pinia that others may use too. */
function appOn<T>(pinia: Pinia, supabase: SupabaseClient, setup: () => T, options: Options = {}) {
  const made: T[] = []
  const component = defineComponent({
    setup() {
      made.push(setup())
      return () => h('p')
    },
  })
  const app = createApp(component)
  app.use(pinia).use(createPgflow({ supabase, ...options }))
  app.mount(document.createElement('div'))
  const [result] = made
  if (result === undefined) throw new Error('setup did not run')
  return { result, unmount: () => app.unmount() }
}

async function startedRun(): Promise<string> {
  const [row] = await backend.db.query<{ run_id: string }>(
    `select run_id from pgflow.start_flow('wait', '{"name": "Ada"}')`,
  )
  if (!row) throw new Error('not started')
  return row.run_id
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'none',
    (thrown: unknown) => (thrown instanceof Error && 'code' in thrown ? thrown.code : thrown),
  )

beforeAll(async () => {
  backend = await bootBackend([Wait])
  await backend.worker.register(Secret, [])
})
afterAll(() => backend.close())
beforeEach(() => {
  gate = createGate()
  recording = new Recording()
})
afterEach(async () => {
  gate.open()
  await Promise.all(clients.map((made) => made.removeAllChannels()))
  clients.length = 0
})

describe('inside watchEffect', () => {
  it('a start runs again only when what it was given changes', async () => {
    const name = ref('one')
    const { result: flow, wrapper } = mountApp(client(recording.fetch), () => {
      const flow = useFlow<typeof Wait>('wait')
      watchEffect(() => void flow.start({ name: name.value }))
      return flow
    })
    await until(() => flow.connection.value?.status === 'live')
    gate.open()
    await until(() => flow.connection.value?.status === 'closed')
    await nextTick()
    expect(recording.starts).toHaveLength(1)
    name.value = 'two'
    await until(() => flow.step('only')?.output === 'Hello two')
    expect(recording.starts).toHaveLength(2)
    wrapper.unmount()
  })

  it('a start that is refused is not repeated', async () => {
    const codes: unknown[] = []
    const { wrapper } = mountApp(client(recording.fetch), () => {
      const store = usePgflowStore()
      watchEffect(() => {
        void codeOf(store.startFlow('secret', { name: 'x' })).then((code) => codes.push(code))
      })
      return store
    })
    await until(() => codes.length > 0)
    await nextTick()
    expect(codes).toEqual(['flow_not_allowed'])
    expect(recording.starts).toHaveLength(1)
    wrapper.unmount()
  })

  it('a run that is removed does not come back', async () => {
    const runId = await startedRun()
    const { store, wrapper } = mountApp(client(), () => {
      const store = usePgflowStore()
      watchEffect((onCleanup) => onCleanup(store.observeRun(runId).release))
      return store
    })
    await until(() => store.connections[runId]?.status === 'live')
    store.removeRun(runId)
    await nextTick()
    for (const table of Object.values(store.$state)) expect(table).toEqual({})
    wrapper.unmount()
  })
})

describe('a form', () => {
  it('that changed after a start without an answer starts another run', async () => {
    const form = reactive({ name: 'one' })
    const supabase = client(recording.fetch)
    const { result: flow, wrapper } = mountApp(supabase, () => useFlow<typeof Wait>('wait'))
    recording.isLost = true
    expect(await codeOf(flow.start(form, { timeout: 50 }))).toBe('timeout')
    recording.isLost = false
    form.name = 'two'
    const run = await flow.start(form)
    expect(run.input).toEqual({ name: 'two' })
    const ids = new Set(recording.starts.map((args) => args.p_run_id))
    expect(ids.size).toBe(2)
    wrapper.unmount()
  })

  it('that is sent twice by a double click starts one run', async () => {
    const supabase = client(recording.fetch)
    const { result: flow, wrapper } = mountApp(supabase, () => useFlow<typeof Wait>('wait'))
    const [one, two] = await Promise.all([
      flow.start({ name: 'double' }),
      flow.start({ name: 'double' }),
    ])
    expect(two.run_id).toBe(one.run_id)
    const rows = await backend.db.query(
      `select 1 from pgflow.runs where input ->> 'name' = 'double'`,
    )
    expect(rows).toHaveLength(1)
    expect(flow.isPending.value).toBe(false)
    wrapper.unmount()
  })

  it('goes on showing its run when the next start is refused', async () => {
    const { result: flow, wrapper } = mountApp(client(), () => useFlow<typeof Wait>('wait'))
    const { run_id } = await flow.start({ name: 'Ada' })
    await until(() => flow.connection.value?.status === 'live')
    const circular: Record<string, unknown> = {}
    circular.name = circular
    const bad = circular as { name: string }
    expect(await codeOf(flow.start(bad))).toBe('invalid_input')
    const taken = await startedRun()
    expect(await codeOf(flow.start({ name: 'Bob' }, { runId: taken }))).toBe('run_conflict')
    expect(flow.run.value?.run_id).toBe(run_id)
    expect(flow.connection.value?.status).toBe('live')
    expect(flow.error.value?.code).toBe('run_conflict')
    wrapper.unmount()
  })

  it('can be used at once after reset(), whatever was under way', async () => {
    const supabase = client(recording.fetch)
    const { result: flow, wrapper } = mountApp(supabase, () => useFlow<typeof Wait>('wait'))
    recording.isLost = true
    const lost = codeOf(flow.start({ name: 'one' }, { timeout: 200 }))
    flow.reset()
    expect(flow.isPending.value).toBe(false)
    expect(flow.status.value).toBe('idle')
    await until(() => recording.starts.length === 1)
    recording.isLost = false
    await flow.start({ name: 'two' })
    expect(await lost).toBe('timeout')
    expect(flow.error.value).toBeNull()
    expect(flow.run.value?.input).toEqual({ name: 'two' })
    wrapper.unmount()
  })

  it('works on a page without HTTPS, where crypto.randomUUID is missing', async () => {
    const supabase = client()
    const { result: flow, wrapper } = mountApp(supabase, () => useFlow<typeof Wait>('wait'))
    const spy = vi.spyOn(crypto, 'randomUUID').mockImplementation(() => {
      throw new TypeError('crypto.randomUUID is not a function')
    })
    const run = await flow.start({ name: 'Ada' })
    spy.mockRestore()
    expect(run.status).toBe('started')
    wrapper.unmount()
  })
})

describe('several apps', () => {
  it('with one client follow the same run, and one that leaves does not hurt the other', async () => {
    const runId = await startedRun()
    const supabase = client()
    const one = mountApp(supabase, () => useRun(runId), { gcTime: 0 })
    await until(() => one.result.connection.value?.status === 'live')
    const two = mountApp(supabase, () => useRun(runId), { gcTime: 0 })
    await until(() => two.result.connection.value?.status === 'live')
    one.wrapper.unmount()
    expect(supabase.getChannels()).toHaveLength(1)
    gate.open()
    await until(() => two.result.run.value?.status === 'completed')
    expect(two.result.connection.value).toMatchObject({ gaps: 0 })
    two.wrapper.unmount()
    expect(supabase.getChannels()).toEqual([])
  })

  it('on one Pinia: when one leaves, the other stays live', async () => {
    const runId = await startedRun()
    const supabase = client()
    const pinia = createPinia()
    const one = appOn(pinia, supabase, () => useRun(runId))
    const two = appOn(pinia, supabase, () => usePgflowStore())
    await until(() => one.result.connection.value?.status === 'live')
    two.unmount()
    expect(one.result.connection.value?.status).toBe('live')
    expect(supabase.getChannels()).toHaveLength(1)
    gate.open()
    await until(() => one.result.run.value?.status === 'completed')
    one.unmount()
    expect(supabase.getChannels()).toEqual([])
  })

  it('one after the other on one Pinia: each uses the client it was given', async () => {
    const runId = await startedRun()
    const pinia = createPinia()
    const first = client(recording.fetch)
    const one = appOn(pinia, first, () => useRun(runId), { gcTime: 0 })
    await until(() => one.result.connection.value?.status === 'live')
    one.unmount()
    expect(first.getChannels()).toEqual([])
    const asked = recording.calls.length

    const second = client()
    const two = appOn(pinia, second, () => useRun(runId), { gcTime: 0 })
    await until(() => two.result.connection.value?.status === 'live')
    expect(second.getChannels()).toHaveLength(1)
    gate.open()
    await until(() => two.result.run.value?.status === 'completed')
    two.unmount()
    expect(recording.calls).toHaveLength(asked)
    expect(first.getChannels()).toEqual([])
    expect(second.getChannels()).toEqual([])
  })
})
