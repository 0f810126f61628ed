import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { createPinia, type Pinia } from 'pinia'
import { createPgflow, usePgflowStore, useRun, type PgflowOptions } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { createApp, defineComponent, h } from 'vue'
import { mountApp } from '../support/app.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'

const Wait = new Flow<{ name: string }>({ slug: 'wait' }).step(
  { slug: 'only' },
  async ({ run }) => {
    await fixture.gate.wait()
    return `Hello ${run.name}`
  },
)

const fixture = useBackend([Wait])

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

const startedRun = () => fixture.startRun('wait', { name: 'Ada' })

describe('several apps', () => {
  it('with one client follow the same run, and one that leaves does not hurt the other [F23]', async () => {
    const runId = await startedRun()
    const supabase = fixture.client()
    const one = mountApp(supabase, () => useRun(runId), { gcTime: 0 })
    await until(() => one.result.connection.value.status === 'live')
    const two = mountApp(supabase, () => useRun(runId), { gcTime: 0 })
    await until(() => two.result.connection.value.status === 'live')
    one.wrapper.unmount()
    expect(supabase.getChannels()).toHaveLength(1)
    fixture.gate.open()
    await until(() => two.result.run.value?.status === 'completed')
    expect(two.traced('gap')).toBe(0)
    two.wrapper.unmount()
    expect(supabase.getChannels()).toEqual([])
  })

  it('on one Pinia: when one leaves, the other stays live', async () => {
    const runId = await startedRun()
    const supabase = fixture.client()
    const pinia = createPinia()
    const one = appOn(pinia, supabase, () => useRun(runId))
    const two = appOn(pinia, supabase, () => usePgflowStore())
    await until(() => one.result.connection.value.status === 'live')
    two.unmount()
    expect(one.result.connection.value.status).toBe('live')
    expect(supabase.getChannels()).toHaveLength(1)
    fixture.gate.open()
    await until(() => one.result.run.value?.status === 'completed')
    one.unmount()
    expect(supabase.getChannels()).toEqual([])
  })

  it('one after the other on one Pinia: each uses the client it was given', async () => {
    const runId = await startedRun()
    const pinia = createPinia()
    const first = fixture.client(fixture.recording.fetch)
    const one = appOn(pinia, first, () => useRun(runId), { gcTime: 0 })
    await until(() => one.result.connection.value.status === 'live')
    one.unmount()
    expect(first.getChannels()).toEqual([])
    const asked = fixture.recording.calls.length

    const second = fixture.client()
    const two = appOn(pinia, second, () => useRun(runId), { gcTime: 0 })
    await until(() => two.result.connection.value.status === 'live')
    expect(second.getChannels()).toHaveLength(1)
    fixture.gate.open()
    await until(() => two.result.run.value?.status === 'completed')
    two.unmount()
    expect(fixture.recording.calls).toHaveLength(asked)
    expect(first.getChannels()).toEqual([])
    expect(second.getChannels()).toEqual([])
  })
})
