import { parse, stringify } from 'devalue'
import { createPinia, type StateTree } from 'pinia'
import { pgflowPayload, usePgflowStore, useRun, type Json } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createApp,
  createSSRApp,
  defineComponent,
  h,
  isReactive,
  isRef,
  isShallow,
  reactive,
  ref,
  shallowReactive,
  shallowRef,
  toRaw,
  type App,
} from 'vue'
import { renderToString } from 'vue/server-renderer'
import { nested } from './hostile/support/hostile.ts'

// As Nuxt writes and reads its payload: its own reducers come before those of the app.
const nuxtReducers = {
  ShallowRef: (value: unknown) => isRef(value) && isShallow(value) && value.value,
  ShallowReactive: (value: unknown) => isReactive(value) && isShallow(value) && toRaw(value),
  Ref: (value: unknown) => isRef(value) && value.value,
  Reactive: (value: unknown) => isReactive(value) && toRaw(value),
}
const nuxtRevivers = {
  ShallowRef: (value: unknown) => shallowRef(value),
  ShallowReactive: (value: object) => shallowReactive(value),
  Ref: (value: unknown) => ref(value),
  Reactive: (value: object) => reactive(value),
}
const send = (payload: unknown) =>
  stringify(payload, { ...nuxtReducers, PgflowRow: pgflowPayload.reduce })
const receive = (text: string): unknown =>
  parse(text, { ...nuxtRevivers, PgflowRow: pgflowPayload.revive })

const runId = crypto.randomUUID()
const Page = defineComponent({
  setup() {
    const { run, step, connection } = useRun(runId)
    const words = () => [run.value?.input, run.value?.output, step('hello')?.output]
    return () => h('p', `${connection.value.status} ${JSON.stringify(words())}`)
  },
})

const apps: App[] = []
afterEach(() => {
  for (const app of apps.splice(0)) app.unmount()
})

const backendWith = (value: Json, isServer: boolean) => {
  const pgflow = createTestPgflow({ flows: { greet: { hello: { output: value } } }, ssr: isServer })
  pgflow.seedRun('greet', value, { runId, status: 'completed' })
  return pgflow
}

/** What a server sends of a page that shows a run of this input and output. */
async function render(value: Json) {
  const pinia = createPinia()
  const html = await renderToString(createSSRApp(Page).use(pinia).use(backendWith(value, true)))
  return { html, pinia, payload: { pinia: toRaw(pinia.state.value) } }
}

/** Takes the page over: what differs from its markup is a warning, which fails the test. */
function takeOver(html: string, payload: unknown, value: Json) {
  const pinia = createPinia()
  const { pinia: state } = payload as { pinia: Record<string, StateTree> }
  pinia.state.value = state
  const pgflow = backendWith(value, false)
  const app = createSSRApp(Page).use(pinia).use(pgflow)
  apps.push(app)
  const element = document.createElement('div')
  element.innerHTML = html
  const sent = element.innerHTML
  app.mount(element)
  return { pgflow, store: usePgflowStore(pinia), isSame: element.innerHTML === sent }
}

/** As it comes from a database: every name is a key of its own. */
const hostile = JSON.parse(
  `{"__proto__": {"polluted": true}, "list": [{"__proto__": null}], "constructor": {"prototype": 1},
    "then": "no", "toJSON": "no", "__v_isRef": true, "__v_raw": {}, "text": "</script><!-- \\u2028"}`,
) as Json

describe('the payload of a page', () => {
  it('cannot be written without the plugin, when a name in a value is __proto__', async () => {
    const { payload } = await render(hostile)
    expect(() => stringify(payload, nuxtReducers)).toThrow(/__proto__/)
  })

  it('takes every value through devalue as it is, and the browser requests nothing', async () => {
    const { html, payload } = await render(hostile)
    const text = send(payload)
    expect(text).not.toContain('</script')
    const { pgflow, store, isSame } = takeOver(html, receive(text), hostile)
    expect(isSame).toBe(true)
    await pgflow.settled()
    expect(pgflow.requests).toEqual([])
    const same = JSON.stringify(hostile)
    const { input, output } = store.runById(runId) ?? {}
    expect(JSON.stringify(input)).toBe(same)
    expect(JSON.stringify(output)).toBe(`{"hello":${same}}`)
    expect(JSON.stringify(store.stepOf(runId, 'hello')?.output)).toBe(same)
    expect(Object.hasOwn(input as object, '__proto__')).toBe(true)
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    expect(JSON.stringify(structuredClone(input))).toBe(same)
  })

  it('takes a run that the page keeps elsewhere too, and leaves everything else alone', async () => {
    const { pinia } = await render(hostile)
    const run = { ...usePgflowStore(pinia).runById(runId) }
    const since = new Date(0)
    const other = { run_id: runId, status: 'completed', output: since, made: new Set([1]) }
    const payload = receive(send({ run, other, id: runId }))
    expect(payload).toEqual({ run, other, id: runId })
    expect(Object.hasOwn((payload as { run: { input: object } }).run.input, '__proto__')).toBe(true)
  })

  it.each(['run', 'step'])(
    'can be written whatever is in it: the browser reads a %s that is too deep to be sent',
    async (which) => {
      const { pinia, payload } = await render('short')
      const sent = usePgflowStore(pinia)
      const row = which === 'run' ? sent.runById(runId) : sent.stepOf(runId, 'hello')
      Object.assign(row ?? {}, { output: nested(20_000) })
      const browser = createPinia()
      browser.state.value = (receive(send(payload)) as typeof payload).pinia
      const pgflow = backendWith('short', false)
      const app = createApp(Page).use(browser).use(pgflow)
      apps.push(app)
      app.mount(document.createElement('div'))
      await pgflow.settled()
      expect(pgflow.requests).toHaveLength(1)
      const store = usePgflowStore(browser)
      expect(store.runById(runId)?.output).toEqual({ hello: 'short' })
      expect(store.stepOf(runId, 'hello')?.output).toBe('short')
    },
  )
})
