import { createServer } from 'node:http'
import { Flow } from '@pgflow/dsl'
import { createPinia } from 'pinia'
import { createPgflow, usePgflowStore, useRun } from 'pinia-pgflow'
import { expect, it } from 'vitest'
import { createSSRApp, defineComponent, h } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { connect } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'

const Greet = new Flow<{ name: string }>({ slug: 'greet' }).step(
  { slug: 'hello' },
  ({ run }) => `Hello ${run.name}`,
)

const fixture = useBackend([Greet])

const Page = defineComponent({
  props: { runId: { type: String, required: true } },
  setup(props) {
    const { run, step, connection } = useRun<typeof Greet>(() => props.runId)
    return () =>
      h('p', [
        `${run.value?.input.name ?? 'nobody'}: ${step('hello')?.output ?? ''}`,
        h('em', connection.value.status),
      ])
  },
})

it('reads a run once on a server, renders it, and leaves nothing behind [F39]', async () => {
  fixture.backend.worker.pause()
  const supabase = connect(fixture.backend)
  const [row] = await fixture.backend.db.query<{ run_id: string }>(
    `select run_id from pgflow.start_flow('greet', '{"name":"Ada"}')`,
  )
  const runId = row?.run_id ?? ''
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const app = createSSRApp(Page, { runId })
  const pinia = createPinia()
  app.use(pinia).use(createPgflow({ supabase, ssrTimeout: 30_000 }))
  expect(await renderToString(app)).toBe('<p>Ada: <em>idle</em></p>')
  expect(supabase.getChannels()).toEqual([])
  const left = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  expect(left).toBeLessThanOrEqual(timers)

  // What the browser is given is enough to show the same, and says that it is not live.
  const state: unknown = JSON.parse(JSON.stringify(pinia.state.value))
  const browser = createPinia()
  browser.state.value = state as typeof browser.state.value
  createSSRApp(Page, { runId }).use(browser).use(createPgflow({ supabase }))
  const store = usePgflowStore(browser)
  expect(store.runs[runId]).toEqual(usePgflowStore(pinia).runs[runId])
  expect(store.connections[runId]?.status).toBe('idle')
  fixture.backend.worker.resume()
})

it('renders without a run that cannot be read', async () => {
  const server = createServer((req) => void req.socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const supabase = connect({ url: `http://127.0.0.1:${port}`, anonKey: fixture.backend.anonKey })
  const app = createSSRApp(Page, { runId: crypto.randomUUID() })
  app.use(createPinia()).use(createPgflow({ supabase }))
  expect(await renderToString(app)).toBe('<p>nobody: <em>idle</em></p>')
  server.close()
})
