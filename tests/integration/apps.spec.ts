import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { createPinia, type Pinia } from 'pinia'
import { createPgflow, usePgflowStore, useRun, type PgflowOptions } from 'pinia-pgflow'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createApp, defineComponent, h } from 'vue'
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

beforeAll(async () => {
  backend = await bootBackend([Wait])
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

describe('several apps', () => {
  it('with one client follow the same run, and one that leaves does not hurt the other [F23]', async () => {
    const runId = await startedRun()
    const supabase = client()
    const one = mountApp(supabase, () => useRun(runId), { gcTime: 0 })
    await until(() => one.result.connection.value.status === 'live')
    const two = mountApp(supabase, () => useRun(runId), { gcTime: 0 })
    await until(() => two.result.connection.value.status === 'live')
    one.wrapper.unmount()
    expect(supabase.getChannels()).toHaveLength(1)
    gate.open()
    await until(() => two.result.run.value?.status === 'completed')
    expect(two.traced('gap')).toBe(0)
    two.wrapper.unmount()
    expect(supabase.getChannels()).toEqual([])
  })

  it('on one Pinia: when one leaves, the other stays live', async () => {
    const runId = await startedRun()
    const supabase = client()
    const pinia = createPinia()
    const one = appOn(pinia, supabase, () => useRun(runId))
    const two = appOn(pinia, supabase, () => usePgflowStore())
    await until(() => one.result.connection.value.status === 'live')
    two.unmount()
    expect(one.result.connection.value.status).toBe('live')
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
    await until(() => one.result.connection.value.status === 'live')
    one.unmount()
    expect(first.getChannels()).toEqual([])
    const asked = recording.calls.length

    const second = client()
    const two = appOn(pinia, second, () => useRun(runId), { gcTime: 0 })
    await until(() => two.result.connection.value.status === 'live')
    expect(second.getChannels()).toHaveLength(1)
    gate.open()
    await until(() => two.result.run.value?.status === 'completed')
    two.unmount()
    expect(recording.calls).toHaveLength(asked)
    expect(first.getChannels()).toEqual([])
    expect(second.getChannels()).toEqual([])
  })
})
