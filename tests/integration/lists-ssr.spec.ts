import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { createPinia, type StateTree } from 'pinia'
import { createPgflow, usePgflowListStore, useRuns } from 'pinia-pgflow'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createSSRApp, defineComponent, h } from 'vue'
import { renderToString } from 'vue/server-renderer'
import type { Backend } from '../../playground/backend/index.ts'
import { bootBackend, connect, until } from '../support/backend.ts'
import { RpcRecorder } from '../support/rpc-recorder.ts'

const Greet = new Flow<{ name: string }>({ slug: 'greet' }).step({ slug: 'hello' }, () => 'Hello')

let backend: Backend
let supabase: SupabaseClient
const recording = new RpcRecorder()
beforeAll(async () => {
  backend = await bootBackend([Greet])
  backend.worker.pause()
  supabase = connect(backend, recording.fetch)
  await supabase.auth.signUp({ email: 'ada@example.com', password: 'a long password' })
})
afterAll(async () => {
  await supabase.removeAllChannels()
  await backend.close()
})

async function start(): Promise<string> {
  const runId = crypto.randomUUID()
  const args = { p_flow_slug: 'greet', p_input: { name: 'Ada' }, p_run_id: runId }
  await supabase.schema('pgflow_client').rpc('start_flow_with_states', args)
  return runId
}

const List = defineComponent({
  setup(_, { slots }) {
    const { runs, isLoading } = useRuns({ flow: 'greet' })
    const ids = () => runs.value.map((run) => run.run_id).join()
    return () => h('div', [h('p', isLoading.value ? 'loading' : ids()), slots.default?.()])
  },
})
/** Three components that show the same list, one of them set up when another has read it. */
const Page = defineComponent({
  render: () => h('main', [h(List, null, { default: () => h(List) }), h(List)]),
})

it('a list is read once on a server, rendered, and goes live in the browser', async () => {
  const [older, newer] = [await start(), await start()]
  recording.calls.length = 0
  const pinia = createPinia()
  const server = createSSRApp(Page)
  server.use(pinia).use(createPgflow({ supabase, ssr: true, ssrTimeout: 30_000 }))
  const html = await renderToString(server)
  expect(html.match(/<p>[^<]*/g)).toEqual(Array(3).fill(`<p>${newer},${older}`))
  expect(recording.calls.map(({ name }) => name)).toEqual(['list_runs'])
  const key = JSON.stringify(['greet', null, 20])
  expect(usePgflowListStore(pinia).lists[key]?.connection.status).toBe('idle')
  expect(supabase.getChannels()).toEqual([])

  recording.calls.length = 0
  const state = JSON.parse(JSON.stringify(pinia.state.value)) as Record<string, StateTree>
  const browser = createPinia()
  browser.state.value = state
  const element = document.createElement('div')
  element.innerHTML = html
  const app = createSSRApp(Page)
  app.use(browser).use(createPgflow({ supabase }))
  // What differs from what was rendered would be a warning, which fails the test.
  app.mount(element)
  const store = usePgflowListStore(browser)
  expect(store.runsOf({ flow: 'greet' }).map((run) => run.run_id)).toEqual([newer, older])
  await until(() => store.lists[key]?.connection.status === 'polling')
  expect(recording.calls.map(({ name }) => name)).toEqual(['list_runs'])
  app.unmount()
})
