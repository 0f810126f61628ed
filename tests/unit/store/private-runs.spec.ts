import { createPinia } from 'pinia'
import { usePgflowStore, useRun } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { expect, it } from 'vitest'
import { createApp, defineComponent, h } from 'vue'
import { mountIn } from '../../support/app.ts'
import { codeOf } from '../../support/code-of.ts'

const flows = { f: { a: {} } }

it('a private run whose start lost its replies is live in the end', async () => {
  const pgflow = createTestPgflow({ flows, private: true, onError: () => {} })
  const id = crypto.randomUUID()
  const start = (timeout: number) => codeOf(store.startFlow('f', {}, { runId: id, timeout }))
  // The page of a run that is about to be started, as a route with its id shows.
  const { result: view, wrapper, store } = mountIn(pgflow, () => useRun(id))
  await pgflow.settled()
  for (let n = 0; n < 20; n += 1) pgflow.faults.loseReply('start')
  const started = start(3_000)
  await pgflow.advance(3_500)
  expect([await started, pgflow.runs.length]).toEqual(['unreachable', 1])
  await pgflow.faults.clear()
  await pgflow.advance(120_000)
  expect(view.connection.value.status).toBe('live')
  wrapper.unmount()
})

it('private runs of an app that is unmounted are not for who signs in next', async () => {
  const Empty = defineComponent({ render: () => h('div') })
  const pgflow = createTestPgflow({ flows, user: 'ada', private: true, onError: () => {} })
  const pinia = createPinia()
  const app = createApp(Empty).use(pinia).use(pgflow)
  app.mount(document.createElement('div'))
  const run = pgflow.seedRun('f', {}, { user: 'ada' })
  const store = usePgflowStore(pinia)
  store.observeRun(run.id)
  await pgflow.settled()
  expect(store.runById(run.id)?.status).toBe('started')
  app.unmount()
  await pgflow.signIn('bob')
  createApp(Empty).use(pinia).use(pgflow).mount(document.createElement('div'))
  await pgflow.advance(60_000)
  expect(store.runById(run.id)).toBeUndefined()
})
