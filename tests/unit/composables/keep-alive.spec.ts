import { mount } from '@vue/test-utils'
import { createPinia, defineStore } from 'pinia'
import { useFlow, usePgflowStore, useRun, useRuns, useStep } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { describe, expect, it } from 'vitest'
import { defineComponent, h, KeepAlive, nextTick, ref, Suspense, type Component } from 'vue'

const flows = { greet: { hello: { output: 'Hello' } } }
const Home = defineComponent({ render: () => h('p', 'home') })

/** A page that a visitor can leave and come back to: it is kept meanwhile. */
function mountKept(page: Component) {
  const pgflow = createTestPgflow({ flows, gcTime: 0, onError: () => {} })
  const isShown = ref(true)
  const Root = defineComponent({
    render: () => h(KeepAlive, null, () => h(isShown.value ? page : Home)),
  })
  const pinia = createPinia()
  const wrapper = mount(Root, { global: { plugins: [pinia, pgflow] } })
  const show = async (isPage: boolean) => {
    isShown.value = isPage
    await nextTick()
    await pgflow.settled()
  }
  return {
    pgflow,
    wrapper,
    store: usePgflowStore(pinia),
    leave: () => show(false),
    comeBack: () => show(true),
    /** How many requests ten minutes cost. */
    async tenMinutes() {
      const before = pgflow.requests.length
      await pgflow.advance(600_000)
      return pgflow.requests.length - before
    },
  }
}

const runId = crypto.randomUUID()
const otherId = crypto.randomUUID()

describe('a page that is kept alive and not shown', () => {
  const Row = defineComponent({
    setup() {
      const { step } = useStep(runId, 'hello')
      return () => h('i', step.value?.status ?? 'unknown')
    },
  })
  const Page = defineComponent({
    setup() {
      const { run } = useRun(runId)
      const { runs } = useRuns()
      return () =>
        h('p', [run.value?.status ?? 'unknown', ` ${runs.value.length} `, h('div', h(Row))])
    },
  })

  it('requests nothing and has no channel, nested components too, and is right when shown again [F40]', async () => {
    const page = mountKept(Page)
    const run = page.pgflow.seedRun('greet', {}, { runId })
    await page.pgflow.settled()
    await page.store.refreshRun(runId)
    await page.pgflow.advance(600_000)
    expect(page.wrapper.text()).toBe('started 1 started')

    await page.leave()
    expect(page.pgflow.openChannels).toEqual([])
    expect(await page.tenMinutes()).toBe(0)
    await run.play()
    expect(page.store.runById(runId)?.status).toBe('started')

    await page.comeBack()
    expect(page.wrapper.text()).toBe('completed 1 completed')
    await page.leave()
    await page.comeBack()
    expect(page.wrapper.text()).toBe('completed 1 completed')
    page.wrapper.unmount()
  })

  it('calls no hooks, though somebody else follows the run [F40]', async () => {
    const heard: string[] = []
    const Hooked = defineComponent({
      setup() {
        useRun(runId, { onCompleted: (run) => heard.push(`useRun ${run.status}`) })
        const flow = useFlow('greet', { onCompleted: (run) => heard.push(`useFlow ${run.status}`) })
        void flow.start({}, { runId })
        return () => h('p')
      },
    })
    const page = mountKept(Hooked)
    await page.pgflow.settled()
    const { release } = page.store.observeRun(runId)
    await page.leave()
    await page.pgflow.run(runId).play()
    expect(page.store.runById(runId)?.status).toBe('completed')
    expect(heard).toEqual([])
    await page.comeBack()
    expect(heard).toEqual([])
    release()
    page.wrapper.unmount()
  })

  it('emits what it has missed, once, when nobody else has read it', async () => {
    const heard: string[] = []
    const Hooked = defineComponent({
      setup() {
        useRun(runId, { onEnded: (run) => heard.push(run.status) })
        return () => h('p')
      },
    })
    const page = mountKept(Hooked)
    const run = page.pgflow.seedRun('greet', {}, { runId })
    await page.store.refreshRun(runId)
    await page.pgflow.advance(600_000)
    await page.leave()
    await run.play()
    await page.comeBack()
    expect(heard).toEqual(['completed'])
    page.wrapper.unmount()
  })

  it('follows the id of now when it is shown again, and no other in between', async () => {
    const id = ref(runId)
    const Changing = defineComponent({
      setup() {
        const { run } = useRun(id)
        return () => h('p', run.value?.run_id ?? 'unknown')
      },
    })
    const page = mountKept(Changing)
    page.pgflow.seedRun('greet', {}, { runId })
    page.pgflow.seedRun('greet', {}, { runId: otherId })
    await page.pgflow.advance(60_000)
    await page.leave()
    id.value = otherId
    await page.pgflow.settled()
    expect(page.store.runById(otherId)).toBeUndefined()
    await page.comeBack()
    expect(page.wrapper.text()).toBe(otherId)
    expect(page.pgflow.openChannels).toEqual([`pgflow:run:${otherId}`])
    page.wrapper.unmount()
    await page.pgflow.settled()
    expect(page.pgflow.openChannels).toEqual([])
  })

  it('reads on refresh, and follows nothing for that', async () => {
    let refresh = (): Promise<unknown> => Promise.reject(new Error('not set up'))
    const Refreshed = defineComponent({
      setup() {
        const { run, refresh: refreshRun } = useRun(runId)
        const { runs, refresh: refreshRuns, loadMore } = useRuns()
        refresh = () => Promise.all([refreshRun(), refreshRuns(), loadMore()])
        return () => h('p', `${run.value?.status} ${runs.value.length}`)
      },
    })
    const page = mountKept(Refreshed)
    const run = page.pgflow.seedRun('greet', {}, { runId })
    await page.pgflow.advance(60_000)
    await page.leave()
    await run.play()
    await refresh()
    expect(page.store.runById(runId)?.status).toBe('completed')
    await page.pgflow.settled()
    expect(await page.tenMinutes()).toBe(0)
    await page.comeBack()
    expect(page.wrapper.text()).toBe('completed 1')
    page.wrapper.unmount()
  })

  it('follows nothing with a component that is added meanwhile, until it is shown', async () => {
    const isMore = ref(false)
    const More = defineComponent({ render: () => h('div', isMore.value ? h(Row) : 'less') })
    const page = mountKept(More)
    page.pgflow.seedRun('greet', {}, { runId })
    await page.leave()
    isMore.value = true
    await nextTick()
    await page.pgflow.settled()
    expect(page.pgflow.requests).toEqual([])
    expect(page.pgflow.openChannels).toEqual([])
    await page.comeBack()
    expect(page.wrapper.text()).toBe('started')
    page.wrapper.unmount()
  })

  it('follows nothing with what is kept inside it and not shown, when it comes back itself', async () => {
    const isRow = ref(true)
    const Nested = defineComponent({
      render: () =>
        h(
          'div',
          h(KeepAlive, null, () => h(isRow.value ? Row : Home)),
        ),
    })
    const page = mountKept(Nested)
    const run = page.pgflow.seedRun('greet', {}, { runId })
    await page.pgflow.settled()
    isRow.value = false
    await nextTick()
    await page.pgflow.settled()
    expect(page.pgflow.openChannels).toEqual([])
    await page.leave()
    await page.comeBack()
    expect(await page.tenMinutes()).toBe(0)
    await page.leave()
    isRow.value = true
    await nextTick()
    await page.pgflow.settled()
    expect(page.pgflow.openChannels).toEqual([])
    await run.play()
    await page.comeBack()
    expect(page.wrapper.text()).toBe('completed')
    page.wrapper.unmount()
  })

  it('shows the run of a start that was under way when it was left', async () => {
    let start = (): Promise<unknown> => Promise.reject(new Error('not set up'))
    const Form = defineComponent({
      setup() {
        const flow = useFlow('greet')
        start = () => flow.start({})
        return () => h('p', flow.status.value)
      },
    })
    const page = mountKept(Form)
    const release = page.pgflow.faults.hangRequest('start')
    const starting = start()
    await page.leave()
    await release()
    await starting
    await page.pgflow.settled()
    expect(page.pgflow.openChannels).toEqual([])
    await page.pgflow.latestRun().play()
    await page.comeBack()
    expect(page.wrapper.text()).toBe('completed')
    page.wrapper.unmount()
  })

  it('renders when it is shown again, if it was left before its run had come', async () => {
    let settled = 0
    const Awaiting = defineComponent({
      async setup() {
        const { run, ready } = useRun(runId)
        await ready.finally(() => (settled += 1))
        return () => h('p', run.value?.status)
      },
    })
    const Loading = defineComponent({
      render: () => h('div', h(Suspense, null, { default: () => h(Awaiting) })),
    })
    const page = mountKept(Loading)
    page.pgflow.seedRun('greet', {}, { runId })
    const release = page.pgflow.faults.hangRequest('read')
    await page.leave()
    expect(page.wrapper.text()).toBe('home')
    await page.pgflow.advance(60_000)
    expect(settled).toBe(0)
    await release()
    await page.comeBack()
    expect(page.wrapper.text()).toBe('started')
    page.wrapper.unmount()
  })
})

describe('what outlives a page that is kept alive', () => {
  it('a store that the page was the first to use continues', async () => {
    const useLatest = defineStore('latest', () => ({ view: useRun(runId) }))
    const Page = defineComponent({
      setup() {
        useLatest()
        return () => h('p', 'page')
      },
    })
    const page = mountKept(Page)
    const run = page.pgflow.seedRun('greet', {}, { runId })
    await page.pgflow.advance(60_000)
    await page.leave()
    expect(page.pgflow.openChannels).toHaveLength(1)
    await run.play()
    expect(page.store.runById(runId)?.status).toBe('completed')
    page.wrapper.unmount()
  })
})
