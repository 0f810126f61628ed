import { createPinia } from 'pinia'
import { usePgflowStore, useRun } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { expect, it } from 'vitest'
import { createSSRApp, defineComponent, h } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { createEnvironment } from '../../src/testing/environment.ts'

const flows = { greet: { hello: { output: 'Hello' }, bye: { deps: ['hello'] } } }

const Page = defineComponent({
  props: { runId: { type: String, required: true } },
  setup(props) {
    const { run, step, connection } = useRun(() => props.runId)
    return () =>
      h(
        'p',
        `${run.value?.status}: ${JSON.stringify(step('hello')?.output)} ${connection.value.status}`,
      )
  },
})

it('a run is read once on a server and rendered, and nothing is left', async () => {
  const world = createEnvironment({ flows })
  const { run } = world.database.seedRun('greet', {}, crypto.randomUUID(), null)
  const app = createSSRApp(Page, { runId: run.run_id }).use(createPinia())
  app.use({ install: world.install })
  expect(await renderToString(app)).toBe('<p>started: null idle</p>')
  expect(world.requests).toHaveLength(1)
  expect(world.channels.topics).toEqual([])
  expect(world.pageActivity.watchers).toBe(0)
  expect('pending' in world.time && world.time.pending).toBe(0)
})

it('a Node script that follows runs live passes ssr: false', async () => {
  const pgflow = createTestPgflow({ flows, ssr: false, autoPlay: true })
  const pinia = createPinia()
  createSSRApp({}).use(pinia).use(pgflow)
  const store = usePgflowStore(pinia)
  const { run_id } = await store.startFlow('greet', {})
  expect((await store.waitForRun(run_id)).output).toEqual({ bye: null })
  expect(pgflow.openChannels).toEqual([])
})
