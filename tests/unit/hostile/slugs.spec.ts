import { createPinia } from 'pinia'
import { flowSchemas, useFlow, useRun, useRuns, useStep } from 'pinia-pgflow'
import { createTestPgflow, type TestPgflowOptions } from 'pinia-pgflow/testing'
import * as v from 'valibot'
import { expect, it } from 'vitest'
import { createSSRApp, defineComponent, h } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { mountIn } from '../../support/app.ts'
import { ownEntries, slugs } from './support/hostile.ts'

/** A flow for each such slug, with a step for each. */
const steps = ownEntries(slugs.map((slug) => [slug, { output: slug }]))
const flows = ownEntries(slugs.map((slug) => [slug, steps])) as TestPgflowOptions['flows']
/** Schemas of something else: none of them is that of a flow or step with such a name. */
const schemas = flowSchemas({
  other: { input: v.never(), output: v.never(), steps: { other: v.never() } },
})

it.each(slugs)('a flow and its steps may be called %s', async (slug) => {
  const pgflow = createTestPgflow({ flows, schemas })
  const { result, store, wrapper } = mountIn(pgflow, () => {
    const flow = useFlow(slug)
    const list = useRuns({ flow: slug })
    return { flow, list, view: useRun(flow.runId), ofStep: useStep(flow.runId, slug) }
  })
  const { flow, list, view, ofStep } = result
  const started = flow.startAsync({ input: slug })
  expect(flow.run.value?.flow_slug).toBe(slug)
  const { run_id } = await started
  await pgflow.latestRun().retry(slug)
  expect(ofStep.retry.value?.attempts_count).toBe(1)
  await pgflow.latestRun().play()
  expect(view.isCompleted.value).toBe(true)
  expect(view.steps.value.map((step) => step.step_slug)).toEqual(Object.keys(steps))
  expect(ofStep.step.value?.output).toBe(slug)
  expect([ofStep.error.value, view.outputError.value, view.error.value]).toEqual([null, null, null])
  expect(store.progressOfRun(run_id)).toMatchObject({ total: slugs.length, fraction: 1 })
  expect(list.runs.value.map((row) => [row.run_id, row.flow_slug])).toEqual([[run_id, slug]])

  expect(store.flowBySlug(slug)).toBeUndefined()
  await store.fetchFlow(slug)
  expect(store.flowBySlug(slug)?.flow_slug).toBe(slug)
  expect(view.steps.value.map((step) => step.step_slug)).toEqual(Object.keys(steps))
  expect(JSON.parse(JSON.stringify(store.$state))).toEqual(store.$state)
  wrapper.unmount()
})

it.each(slugs)('a server renders a run of the flow %s', async (slug) => {
  const pgflow = createTestPgflow({ flows, schemas, ssr: true })
  const run = pgflow.seedRun(slug, {}, { status: 'completed' })
  const page = defineComponent({
    setup() {
      const { run: shown, steps: all } = useRun(run.id)
      const { step } = useStep(run.id, slug)
      return () =>
        h('p', JSON.stringify([shown.value?.flow_slug, all.value.length, step.value?.output]))
    },
  })
  const html = await renderToString(createSSRApp(page).use(createPinia()).use(pgflow))
  expect(html.replaceAll('&quot;', '"')).toBe(`<p>["${slug}",${slugs.length},"${slug}"]</p>`)
})
