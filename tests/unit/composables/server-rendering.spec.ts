import { createPinia, type Pinia, type StateTree } from 'pinia'
import { usePgflowStore, useRun, useRuns, useStep } from 'pinia-pgflow'
import { createTestPgflow, type TestPgflow } from 'pinia-pgflow/testing'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createApp,
  createSSRApp,
  defineComponent,
  h,
  KeepAlive,
  nextTick,
  ref,
  Suspense,
  type App,
  type Component,
} from 'vue'
import { renderToString } from 'vue/server-renderer'

const flows = { greet: { hello: { output: { text: 'Hello' } } } }
const runId = crypto.randomUUID()
const createBackend = (isServer: boolean, options = {}) =>
  createTestPgflow({ flows, ssr: isServer, onError: () => {}, ...options })

const apps: App[] = []
afterEach(() => {
  for (const app of apps.splice(0)) app.unmount()
})

/** Renders a page as a server does for one request. */
async function render(page: Component, pgflow: TestPgflow, wait = 0) {
  const pinia = createPinia()
  const rendering = renderToString(createSSRApp(page).use(pinia).use(pgflow))
  if (wait > 0) await pgflow.advance(wait)
  const html = await rendering
  return { html, pinia, state: JSON.stringify(pinia.state.value) }
}

/** Takes the page over in a browser: what differs from its markup is a warning, and fails the test. */
function takeOver(page: Component, pgflow: TestPgflow, html: string, state: string) {
  const pinia: Pinia = createPinia()
  pinia.state.value = JSON.parse(state) as Record<string, StateTree>
  const element = document.createElement('div')
  element.innerHTML = html
  const app = createSSRApp(page).use(pinia).use(pgflow)
  apps.push(app)
  app.mount(element)
  return { html: () => element.innerHTML, store: usePgflowStore(pinia) }
}

const Row = defineComponent({
  setup() {
    const { step, connection, error } = useStep(runId, 'hello')
    return () => h('i', `${step.value?.status} ${connection.value.status} ${error.value?.code}`)
  },
})
const Rows = defineComponent({ render: () => h('div', [h(Row), h(Row)]) })
/** A page that shows a run in several places, one inside the other. */
const Page = defineComponent({
  setup() {
    const { run, connection, error } = useRun(runId)
    return () =>
      h('section', [
        `${run.value?.status} ${connection.value.status} ${error.value?.code}`,
        h(Row),
        h('div', h(Rows)),
      ])
  },
})
/** The same, by set-ups that wait. */
const Awaiting = defineComponent({
  async setup() {
    const { run, error, ready } = useRun(runId)
    const failure = await ready.then(
      () => 'none',
      (thrown: unknown) => (thrown instanceof Error && 'code' in thrown ? thrown.code : thrown),
    )
    return () =>
      h('section', [`${run.value?.status} ${String(failure)} ${error.value?.code}`, h(Page)])
  },
})
const AwaitingPage = defineComponent({
  render: () => h(Suspense, null, { default: () => h(Awaiting) }),
})

describe('a run that the server cannot read', () => {
  it.each([
    ['Page', Page, '<section>undefined closed run_not_found'],
    ['AwaitingPage', AwaitingPage, '<section>undefined run_not_found run_not_found'],
  ])('is requested once, and the error is in the HTML: %s', async (_, page, expected) => {
    const server = createBackend(true)
    const { html, state } = await render(page, server)
    expect(html).toContain(expected)
    expect(html.match(/undefined closed run_not_found/g)).toHaveLength(4)
    expect(server.requests).toHaveLength(1)

    const browser = createBackend(false)
    browser.seedRun('greet', {}, { runId })
    const shown = takeOver(page, browser, html, state)
    expect(shown.html()).toBe(html)
    await browser.settled()
    expect(shown.html()).toContain('<i>started live undefined</i>')
    expect(shown.html().match(/started live undefined/g)).toHaveLength(4)
  })

  it('shows what may pass by itself too [F36]', async () => {
    const server = createBackend(true)
    server.faults.failRequest('unreachable')
    const { html, state } = await render(Page, server)
    expect(html.match(/undefined idle unreachable/g)).toHaveLength(4)
    expect(server.requests).toHaveLength(1)
    const browser = createBackend(false)
    browser.seedRun('greet', {}, { runId })
    const shown = takeOver(Page, browser, html, state)
    expect(shown.html()).toBe(html)
    await browser.settled()
    expect(shown.html().match(/started live undefined/g)).toHaveLength(4)
  })

  it('delays the page by 3 s at most, or by the time that was set', async () => {
    for (const [options, wait] of [
      [{}, 3_000],
      [{ ssrTimeout: 500 }, 500],
      [{ ssrTimeout: 5_000, snapshotTimeout: 1_000 }, 1_000],
    ] as const) {
      const server = createBackend(true, options)
      server.faults.hangRequest('read')
      const { html } = await render(AwaitingPage, server, wait)
      expect(html.match(/undefined idle timeout/g)).toHaveLength(4)
      expect(server.requests).toHaveLength(1)
    }
  })

  it('is read again by any caller, and after a reset', async () => {
    const server = createBackend(true)
    const pinia = createPinia()
    const page = () => renderToString(createSSRApp(Page).use(pinia).use(server))
    await page()
    server.seedRun('greet', {}, { runId })
    const store = usePgflowStore(pinia)
    store.$reset()
    expect(await page()).toContain('<section>started idle undefined')
    expect(server.requests).toHaveLength(2)
  })
})

describe('a run that the server has read', () => {
  it('is followed in a page that is kept alive while that is shown', async () => {
    const isShown = ref(true)
    const Kept = defineComponent({
      render: () => h(KeepAlive, null, () => h(isShown.value ? Rows : Home)),
    })
    const Home = defineComponent({ render: () => h('p', 'home') })
    const server = createBackend(true)
    server.seedRun('greet', {}, { runId })
    const { html, state } = await render(Kept, server)
    const browser = createBackend(false, { gcTime: 0 })
    browser.seedRun('greet', {}, { runId })
    const shown = takeOver(Kept, browser, html, state)
    expect(shown.html()).toBe(html)
    // Left before anything is answered.
    isShown.value = false
    await nextTick()
    await browser.settled()
    expect(browser.openChannels).toEqual([])
    await browser.run(runId).play()
    isShown.value = true
    await nextTick()
    await browser.settled()
    expect(shown.html().match(/completed closed undefined/g)).toHaveLength(2)
  })

  it('is raw in the browser, as if it had been read there', async () => {
    const server = createBackend(true)
    const input = { deep: [{ text: 'Ada' }] }
    server.seedRun('greet', input, { runId, status: 'completed' })
    const { html, state } = await render(Page, server)
    const { store } = takeOver(Page, createBackend(false), html, state)
    expect(structuredClone(store.runs[runId]?.input)).toEqual(input)
    expect(structuredClone(store.runById(runId)?.output)).toEqual({ hello: { text: 'Hello' } })
    expect(structuredClone(store.stepOf(runId, 'hello')?.output)).toEqual({ text: 'Hello' })
  })

  it('is read by the browser, if not all of it came', async () => {
    const server = createBackend(true)
    server.seedRun('greet', {}, { runId, status: 'completed' })
    const { html, state } = await render(Page, server)
    const { pgflow } = JSON.parse(state) as { pgflow: { steps: object; runs: object } }
    for (const part of [{ runs: {} }, { steps: {} }]) {
      const browser = createBackend(false)
      browser.seedRun('greet', {}, { runId, status: 'completed' })
      const pinia = createPinia()
      const kept = JSON.stringify({ pgflow: { ...pgflow, ...part } })
      pinia.state.value = JSON.parse(kept) as Record<string, StateTree>
      const app = createApp(Page).use(pinia).use(browser)
      const element = document.createElement('div')
      app.mount(element)
      await browser.settled()
      expect(element.innerHTML).toContain('<i>completed closed undefined</i>')
      app.unmount()
    }
    expect(html).toContain('<i>completed closed undefined</i>')
  })
})

describe('a list that the server cannot read', () => {
  const List = defineComponent({
    setup(_, { slots }) {
      const { runs, connection, error, isLoading } = useRuns()
      const words = () => [
        runs.value.length,
        connection.value.status,
        error.value?.code,
        isLoading.value,
      ]
      return () => h('div', [h('p', words().join()), slots.default?.()])
    },
  })
  const Lists = defineComponent({
    render: () => h('main', [h(List, null, { default: () => h(List) }), h(List)]),
  })
  const AwaitingList = defineComponent({
    async setup() {
      const { ready } = useRuns()
      await ready.catch(() => undefined)
      return () => h(Lists)
    },
  })
  const AwaitingLists = defineComponent({
    render: () => h(Suspense, null, { default: () => h(AwaitingList) }),
  })

  it.each([
    ['Lists', Lists],
    ['AwaitingLists', AwaitingLists],
  ])('is requested once, and stays so until it is mounted: %s', async (_, page) => {
    const server = createBackend(true, { user: null, private: true })
    const { html, state } = await render(page, server)
    expect(html.match(/0,closed,not_signed_in,false/g)).toHaveLength(3)
    expect(server.requests).toHaveLength(1)
    const browser = createBackend(false, { private: true })
    browser.seedRun('greet', {})
    const shown = takeOver(page, browser, html, state)
    expect(shown.html()).toBe(html)
    await browser.settled()
    expect(shown.html().match(/1,live,,false/g)).toHaveLength(3)
  })

  it('holds the page up for 3 s at most', async () => {
    const server = createBackend(true)
    server.faults.hangRequest('list')
    const { html } = await render(AwaitingLists, server, 3_000)
    expect(html.match(/0,idle,timeout,false/g)).toHaveLength(3)
    expect(server.requests).toHaveLength(1)
  })
})
