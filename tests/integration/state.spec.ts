import { Flow } from '@pgflow/dsl'
import { mount } from '@vue/test-utils'
import { acceptHMRUpdate, createPinia } from 'pinia'
import { createPgflow, useFlow, usePgflowStatus, usePgflowStore, useRun } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { createApp, defineComponent, h, nextTick } from 'vue'
import { mountApp } from '../support/app.ts'
import { connect, until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'

const Wait = new Flow<{ name: string }>({ slug: 'wait' })
  .step({ slug: 'first' }, async ({ run }) => {
    await fixture.gate.wait()
    return { hello: run.name }
  })
  .step({ slug: 'second', dependsOn: ['first'] }, () => null)

const fixture = useBackend([Wait], { isRecorded: true })

/** What Vue's development build offers to bundlers. */
interface HmrRuntime {
  createRecord(id: string, component: object): boolean
  reload(id: string, component: object): void
}

async function liveFlow() {
  const app = mountApp(fixture.supabase, () => useFlow<typeof Wait>('wait'))
  const { run_id } = await app.result.startAsync({ name: 'Ada' })
  await until(() => app.result.connection.value.status === 'live')
  return { ...app, flow: app.result, runId: run_id }
}

describe('the state', () => {
  it('survives JSON: another Pinia continues from it [F37]', async () => {
    const { runId, pinia, wrapper } = await liveFlow()
    const text = JSON.stringify(pinia.state.value)
    const before = structuredClone(JSON.parse(text) as object)
    wrapper.unmount()

    const restored = createPinia()
    restored.state.value = JSON.parse(text) as typeof restored.state.value
    const app = createApp({
      setup: () => ({ view: useRun<typeof Wait>(runId) }),
      render: () => null,
    })
    app.use(restored).use(createPgflow({ supabase: connect(fixture.backend) }))
    const store = usePgflowStore(restored)
    expect({ pgflow: { ...store.$state, connections: {} } }).toEqual({
      pgflow: { ...(before as { pgflow: object }).pgflow, connections: {} },
    })
    expect(store.connections[runId]?.status).toBe('idle')
    app.mount(document.createElement('div'))
    await until(() => store.connections[runId]?.status === 'live')
    fixture.gate.open()
    await until(() => store.runById(runId)?.status === 'completed')
    expect(store.stepOf(runId, 'first')?.output).toEqual({ hello: 'Ada' })
    app.unmount()
  })

  it('after $reset is read again as far as somebody observes it, and continues live', async () => {
    const { flow, store, runId, wrapper } = await liveFlow()
    const { run_id: other } = await store.startFlow<typeof Wait>('wait', { name: 'other' })
    store.$reset()
    expect(flow.run.value).toBeNull()
    expect(store.runs).toEqual({})
    await until(() => flow.connection.value.status === 'live')
    expect(flow.run.value).toMatchObject({ run_id: runId, input: { name: 'Ada' } })
    fixture.gate.open()
    await until(() => flow.connection.value.status === 'closed')
    expect(flow.step('first')?.output).toEqual({ hello: 'Ada' })
    expect(store.runs[other]).toBeUndefined()
    wrapper.unmount()
    expect(fixture.supabase.getChannels()).toEqual([])
  })

  it('that the app has patched is put right by the next snapshot', async () => {
    const { flow, store, runId, wrapper } = await liveFlow()
    store.$patch({ runs: { [runId]: { status: 'completed', output: 'made up' } } })
    store.$patch((state) => {
      Reflect.deleteProperty(state.steps, `${runId}/second`)
      state.stepOrder[runId] = []
    })
    expect(flow.status.value).toBe('completed')
    await store.refreshRun(runId)
    expect(flow.run.value).toMatchObject({ status: 'started', output: null })
    expect(flow.steps.value.map((step) => step.step_slug)).toEqual(['first', 'second'])
    fixture.gate.open()
    await until(() => flow.connection.value.status === 'closed')
    expect(flow.status.value).toBe('completed')
    wrapper.unmount()
  })

  it('that the app has replaced whole is written to as before', async () => {
    const { flow, store, runId, wrapper } = await liveFlow()
    store.$state = JSON.parse(JSON.stringify(store.$state)) as typeof store.$state
    fixture.gate.open()
    await until(() => flow.connection.value.status === 'closed')
    expect(flow.step('first')?.output).toEqual({ hello: 'Ada' })
    expect(store.runs[runId]).toEqual(flow.run.value)
    wrapper.unmount()
  })
})

describe('a hot update', () => {
  it('of a component keeps its run live, on one channel, with no other start', async () => {
    const id = 'hot-component'
    let renders = 0
    const runIds: string[] = []
    const component = (label: string) =>
      defineComponent({
        __hmrId: id,
        setup() {
          const store = usePgflowStore()
          const view = useRun<typeof Wait>(() => runIds[0])
          return () => {
            renders += 1
            return h(
              'p',
              `${label} ${view.run.value?.status ?? ''} ${Object.keys(store.runs).length}`,
            )
          }
        },
      })
    const Old = component('old')
    const hmr = (globalThis as { __VUE_HMR_RUNTIME__?: HmrRuntime }).__VUE_HMR_RUNTIME__
    if (!hmr) throw new Error('Vue is built without hot updates')
    hmr.createRecord(id, Old)
    const { store, pinia, wrapper } = mountApp(fixture.supabase, () => usePgflowStore())
    const { run_id } = await store.startFlow<typeof Wait>('wait', { name: 'Ada' })
    runIds.push(run_id)
    // A parent of its own: a hot update renders the parent again.
    const Parent = defineComponent({ render: () => h(Old) })
    const page = mount(Parent, { global: { plugins: [pinia] } })
    await until(() => store.connections[run_id]?.status === 'live')
    const calls = fixture.recording.calls.length

    hmr.reload(id, component('new'))
    await nextTick()
    expect(page.text()).toBe('new started 1')
    expect(store.connections[run_id]?.status).toBe('live')
    expect(fixture.supabase.getChannels()).toHaveLength(1)
    expect(fixture.recording.calls).toHaveLength(calls)
    fixture.gate.open()
    await until(() => page.text() === 'new completed 1')
    expect(renders).toBeGreaterThan(1)
    page.unmount()
    wrapper.unmount()
  })

  it('of the store keeps what it holds, and what it follows', async () => {
    const { flow, store, pinia, runId, wrapper } = await liveFlow()
    const accept = acceptHMRUpdate(usePgflowStore, { data: { pinia } })
    accept({ usePgflowStore })
    expect(usePgflowStore(pinia)).toBe(store)
    fixture.gate.open()
    await until(() => flow.connection.value.status === 'closed')
    expect(flow.status.value).toBe('completed')
    expect(store.runById(runId)?.status).toBe('completed')
    expect(fixture.supabase.getChannels()).toEqual([])
    await store.refreshRun(runId)
    wrapper.unmount()
  })
})

describe('usePgflowStatus', () => {
  it('reports how live everything is, and why not', async () => {
    const { result, store, wrapper } = mountApp(fixture.supabase, () => ({
      flow: useFlow<typeof Wait>('wait'),
      status: usePgflowStatus(),
    }))
    const { flow, status } = result
    expect(status.value).toMatchObject({ status: 'idle', reason: null, errors: [] })
    await flow.startAsync({ name: 'Ada' })
    const { run_id: other } = await store.startFlow<typeof Wait>('wait', { name: 'other' })
    const observation = store.observeRun(other)
    await until(() => status.value.status === 'live')
    expect(status.value.counts).toMatchObject({ live: 2, connecting: 0, offline: 0 })

    fixture.backend.realtime.faults.killSockets()
    await until(() => status.value.status !== 'live')
    await until(() => status.value.status === 'live')

    fixture.recording.isDown = true
    expect(await store.refreshRun(other).catch(() => 'failed')).toBe('failed')
    expect(status.value).toMatchObject({
      status: 'offline',
      counts: { live: 1, offline: 1 },
      errors: [{ code: 'unreachable' }],
      reason: 'What is shown may be old (1 of 2): The server did not respond.',
    })
    fixture.recording.isDown = false
    await until(() => status.value.status === 'live')
    expect(status.value.reason).toBeNull()
    observation.release()
    wrapper.unmount()
    expect(status.value.counts.live).toBe(0)
  })
})
