import { createPinia, type StateTree } from 'pinia'
import { useFlow, usePgflowStore, useRun, type Json } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { describe, expect, it } from 'vitest'
import { createApp, h, nextTick } from 'vue'
import { mountIn } from '../../support/app.ts'

// The names by which Vue marks its own objects: in a value from a database they are names like any other.
const values: [string, Json][] = [
  ['a ref', { __v_isRef: true, value: 'inside' }],
  ['a ref without a value', { __v_isRef: true }],
  ['what is raw', { __v_skip: true, text: 'a' }],
  ['what is not raw', { __v_skip: false, text: 'a' }],
  ['a proxy of something else', { __v_raw: { text: 'other' }, text: 'a' }],
  ['something reactive', { __v_isReactive: true, __v_raw: { text: 'other' } }],
  ['something readonly', { __v_isReadonly: true, __v_isShallow: true, __v_raw: null }],
  ['a list of such', [{ __v_isRef: true, value: 1 }, { __v_raw: [] }]],
]

describe.each(values)('a value that looks to Vue like %s', (_, value) => {
  const next = { after: value }

  it('is shown and emitted as it is in the database, and replaced like any other', async () => {
    const pgflow = createTestPgflow({ flows: { greet: { hello: {}, bye: { deps: ['hello'] } } } })
    const told: unknown[] = []
    const { result: flow, store } = mountIn(pgflow, () =>
      useFlow('greet', {
        onStep: ({ output }) => told.push(output),
        onCompleted: ({ input, output }) => told.push(input, output),
      }),
    )
    const { run_id: id } = await flow.startAsync(value)
    expect(flow.run.value?.input).toEqual(value)
    await pgflow.latestRun().complete('hello', value)
    expect(flow.step('hello')?.output).toEqual(value)
    expect(flow.steps.value.find((step) => step.step_slug === 'hello')?.output).toEqual(value)
    await pgflow.latestRun().complete('bye', next)
    expect(store.runById(id)?.output).toEqual({ bye: next })
    expect(store.stepOf(id, 'bye')?.output).toEqual(next)
    expect(told.filter((each) => each !== null)).toEqual([value, next, value, { bye: next }])
    await store.refreshRun(id)
    expect(JSON.parse(JSON.stringify([store.runs[id], store.steps[`${id}/hello`]]))).toMatchObject([
      { input: value, output: { bye: next } },
      { output: value },
    ])
    expect(structuredClone(store.runById(id)?.output)).toEqual({ bye: next })
  })

  it('is so after hydration too', async () => {
    const pgflow = createTestPgflow({ flows: { greet: { hello: { output: value } } } })
    const { id } = pgflow.seedRun('greet', value, { status: 'completed' })
    const first = mountIn(pgflow, () => useRun(id))
    await pgflow.settled()
    const kept = JSON.stringify(first.pinia.state.value)
    first.wrapper.unmount()
    const pinia = createPinia()
    pinia.state.value = JSON.parse(kept) as Record<string, StateTree>
    const app = createApp({
      setup() {
        const { run, step } = useRun(id)
        return () => h('p', JSON.stringify([run.value?.input, step('hello')?.output]))
      },
    })
    const element = document.createElement('div')
    app.use(pinia).use(pgflow).mount(element)
    await nextTick()
    expect(JSON.parse(element.textContent)).toEqual([value, value])
    const store = usePgflowStore(pinia)
    expect(structuredClone(store.runById(id)?.output)).toEqual({ hello: value })
    app.unmount()
  })
})
