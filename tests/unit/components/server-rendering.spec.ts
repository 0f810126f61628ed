import { createPinia, type StateTree } from 'pinia'
import { RunGraph, RunProgress, RunTimeline } from 'pinia-pgflow/components'
import { expect, it, vi } from 'vitest'
import { createSSRApp, h, type Component } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { createBackend } from './support/mounted.ts'

const parts: [string, Component][] = [
  ['RunGraph', RunGraph],
  ['RunTimeline', RunTimeline],
  ['RunProgress', RunProgress],
]

it.each(parts)('%s is rendered on a server and taken over as it is', async (_name, part) => {
  const server = createBackend({ ssr: true })
  const run = server.seedRun('report', {}, { completed: { list: undefined } })
  const page = { render: () => h(part, { runId: run.id, step: 'each' }) }
  const pinia = createPinia()
  vi.stubGlobal('window', undefined)
  const html = await renderToString(createSSRApp(page).use(pinia).use(server))
  vi.unstubAllGlobals()
  expect(html).toContain(part === RunProgress ? 'aria-valuenow="25"' : 'data-step="each"')

  const browser = createBackend()
  browser.seedRun('report', {}, { runId: run.id, completed: { list: undefined } })
  const element = document.createElement('div')
  element.innerHTML = html
  const taken = createPinia()
  const state: unknown = JSON.parse(JSON.stringify(pinia.state.value))
  taken.state.value = state as Record<string, StateTree>
  const app = createSSRApp(page).use(taken).use(browser)
  // A difference is a warning, and fails the test.
  app.mount(element)
  await browser.settled()
  expect(element.innerHTML).toContain('report')
  app.unmount()
})
