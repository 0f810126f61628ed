// The package in a bare Node: it is loaded, renders on a server, and plays a run in memory.
import assert from 'node:assert/strict'
import { createPinia } from 'pinia'
import { useRun } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { createSSRApp, defineComponent, h } from 'vue'
import { renderToString } from 'vue/server-renderer'

const pgflow = createTestPgflow({ flows: { greet: { hello: { output: 'Hello' } } } })
const runId = '00000000-0000-4000-8000-000000000000'
const Page = defineComponent(() => {
  const { run, error } = useRun(runId)
  return () => h('p', `${run.value?.status ?? 'no run'} ${error.value?.code ?? ''}`)
})
const html = await renderToString(createSSRApp(Page).use(createPinia()).use(pgflow))
assert.match(html, /<p>.*<\/p>/)
console.log(`${process.version}: ${html}`)
