import { createApp, defineComponent, effectScope, h, nextTick } from 'vue'
import { mount } from '@vue/test-utils'
import { createPinia, defineStore, setActivePinia } from 'pinia'
import { useFlow, usePgflowStatus, usePgflowStore, useRun, useRuns } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { expectConsole } from '../../support/no-warnings.ts'

const flows = { greet: { hello: { output: 'Hello' } } }

afterEach(() => setActivePinia(undefined))

describe('everything works', () => {
  it('in another store, for as long as that store lives', async () => {
    const useJobs = defineStore('jobs', () => {
      const { start, status, run } = useFlow('greet')
      return { start, status, run }
    })
    const pgflow = createTestPgflow({ flows, gcTime: 0 })
    const pinia = createPinia()
    const component = defineComponent({
      setup() {
        const jobs = useJobs()
        return () => h('p', jobs.status)
      },
    })
    const wrapper = mount(component, { global: { plugins: [pinia, pgflow] } })
    const jobs = useJobs(pinia)
    await jobs.start({})
    await pgflow.settled()
    expect(wrapper.text()).toBe('started')
    expect(pgflow.openChannels).toHaveLength(1)
    jobs.$dispose()
    await pgflow.settled()
    expect(pgflow.openChannels).toHaveLength(0)
    wrapper.unmount()
  })

  it('outside components: the store of a Pinia, and composables in a scope', async () => {
    const pgflow = createTestPgflow({ flows, gcTime: 0 })
    const pinia = createPinia()
    const app = createApp({ render: () => null })
    app.use(pinia).use(pgflow)
    app.mount(document.createElement('div'))

    const store = usePgflowStore(pinia)
    const run = await store.startFlow('greet', {})
    const ended = store.waitForRun(run.run_id)
    const scope = effectScope()
    const view = scope.run(() => ({ ...useRun(run.run_id), all: usePgflowStatus() }))
    await pgflow.settled()
    expect(view?.all.value).toMatchObject({ status: 'live', reason: null })
    await pgflow.latestRun().play()
    expect((await ended).output).toEqual({ hello: 'Hello' })
    expect(view?.isCompleted.value).toBe(true)
    scope.stop()
    await pgflow.settled()
    expect(pgflow.openChannels).toHaveLength(0)
    app.unmount()
  })

  it('through app.runWithContext, as in a router guard', async () => {
    const pgflow = createTestPgflow({ flows })
    const app = createApp({ render: () => null })
    app.use(createPinia()).use(pgflow)
    setActivePinia(undefined)
    const run = await app.runWithContext(() => usePgflowStore().startFlow('greet', {}))
    expect(run.status).toBe('started')
    app.mount(document.createElement('div'))
    app.unmount()
    await nextTick()
  })
})

describe('usePgflowStatus', () => {
  it('names what is not live, and why', async () => {
    const pgflow = createTestPgflow({ flows })
    const component = defineComponent({
      setup() {
        const { start } = useFlow('greet')
        void start({})
        const status = usePgflowStatus()
        return { status, render: () => null }
      },
      render: () => null,
    })
    const wrapper = mount(component, { global: { plugins: [createPinia(), pgflow] } })
    await pgflow.settled()
    expect(wrapper.vm.status).toMatchObject({ status: 'live', reason: null, stalled: 0 })
    await pgflow.faults.goOffline()
    expect(wrapper.vm.status).toMatchObject({ status: 'offline', counts: { offline: 1 } })
    expect(wrapper.vm.status.reason).toContain('What is shown may be old')
    await pgflow.faults.goOnline()
    await pgflow.advance(2_000)
    expect(wrapper.vm.status.status).toBe('live')

    // Whoever gives no onError is told of what only they can mend, once.
    expectConsole(
      /^\[pinia-pgflow\] Realtime: the channel is refused\. .* See pinia-pgflow\/docs\/errors\.md#private_only\.$/,
    )
    await pgflow.faults.refuseChannels('private_only')
    await pgflow.advance(10_000)
    expect(wrapper.vm.status).toMatchObject({
      status: 'polling',
      errors: [{ code: 'private_only' }],
    })
    expect(vi.mocked(console.error)).toHaveBeenCalledOnce()
    await pgflow.faults.allowChannels()
    await pgflow.advance(60_000)
    expect(wrapper.vm.status).toMatchObject({ status: 'live', errors: [] })
    await pgflow.advance(300_000)
    expect(wrapper.vm.status.stalled).toBe(1)
    await pgflow.latestRun().play()
    expect(wrapper.vm.status).toMatchObject({ status: 'idle', stalled: 0, counts: { closed: 1 } })
    wrapper.unmount()
  })

  it('counts lists as well', async () => {
    const pgflow = createTestPgflow({ flows, user: null })
    const component = defineComponent({
      setup() {
        useRuns()
        return { status: usePgflowStatus() }
      },
      render: () => null,
    })
    const wrapper = mount(component, { global: { plugins: [createPinia(), pgflow] } })
    await pgflow.settled()
    expect(wrapper.vm.status).toMatchObject({
      counts: { closed: 1 },
      errors: [{ code: 'not_signed_in' }],
    })
    await pgflow.signIn('ada')
    expect(wrapper.vm.status).toMatchObject({ status: 'polling', errors: [] })
    wrapper.unmount()
  })
})
