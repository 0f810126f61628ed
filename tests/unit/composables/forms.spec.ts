import { createPinia } from 'pinia'
import { useFlow, usePgflowStore, useRun, useRuns, useStep, type Json } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { mount } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick, reactive, ref, Suspense, watchEffect } from 'vue'
import { mountIn } from '../../support/app.ts'
import { codeOf } from '../../support/code-of.ts'

const flows = { wait: { only: { output: 'done' } } }
const createBackend = () => createTestPgflow({ flows, onError: () => {} })
const startsOf = ({ requests }: ReturnType<typeof createBackend>) =>
  requests.filter(({ kind }) => kind === 'start')

describe('inside watchEffect', () => {
  it('a start runs again only when what it was given changes', async () => {
    const pgflow = createBackend()
    const name = ref('one')
    const { result: flow, wrapper } = mountIn(pgflow, () => {
      const flow = useFlow('wait')
      watchEffect(() => void flow.start({ name: name.value }))
      return flow
    })
    await pgflow.latestRun().play()
    expect(flow.connection.value.status).toBe('closed')
    expect(startsOf(pgflow)).toHaveLength(1)
    name.value = 'two'
    await nextTick()
    await pgflow.latestRun().play()
    expect(flow.run.value).toMatchObject({ status: 'completed', input: { name: 'two' } })
    expect(startsOf(pgflow)).toHaveLength(2)
    wrapper.unmount()
  })

  it('a start that is refused is not repeated', async () => {
    const pgflow = createBackend()
    pgflow.disallowStart('wait')
    const codes: unknown[] = []
    const { wrapper } = mountIn(pgflow, () => {
      const store = usePgflowStore()
      watchEffect(() => {
        void codeOf(store.startFlow('wait', {})).then((code) => codes.push(code))
      })
      return store
    })
    await pgflow.advance(60_000)
    expect(codes).toEqual(['flow_not_allowed'])
    expect(startsOf(pgflow)).toHaveLength(1)
    wrapper.unmount()
  })

  it('a run that is removed does not come back', async () => {
    const pgflow = createBackend()
    const { id } = pgflow.seedRun('wait', {})
    const { store, wrapper } = mountIn(pgflow, () => {
      const store = usePgflowStore()
      watchEffect((onCleanup) => onCleanup(store.observeRun(id).release))
      return store
    })
    await pgflow.settled()
    expect(store.connections[id]?.status).toBe('live')
    store.removeRun(id)
    await pgflow.advance(60_000)
    expect([store.runs, store.steps, store.connections]).toEqual([{}, {}, {}])
    wrapper.unmount()
  })
})

describe('a form', () => {
  it('that changed after a start without a response starts another run', async () => {
    const pgflow = createBackend()
    const form = reactive({ name: 'one' })
    const { result: flow, wrapper } = mountIn(pgflow, () => useFlow('wait'))
    pgflow.faults.hangRequest('start')
    const hanging = codeOf(flow.startAsync(form, { timeout: 5_000 }))
    await pgflow.advance(5_000)
    expect(await hanging).toBe('timeout')
    form.name = 'two'
    const run = await flow.startAsync(form)
    expect(run.input).toEqual({ name: 'two' })
    expect(new Set(startsOf(pgflow).flatMap(({ runIds }) => runIds)).size).toBe(2)
    wrapper.unmount()
  })

  it('that is sent twice by a double click starts one run', async () => {
    const pgflow = createBackend()
    const { result: flow, wrapper } = mountIn(pgflow, () => useFlow('wait'))
    const starts = [flow.startAsync({ name: 'double' }), flow.startAsync({ name: 'double' })]
    const [one, two] = await Promise.all(starts)
    expect(two?.run_id).toBe(one?.run_id)
    expect(pgflow.runs).toHaveLength(1)
    expect(flow.isPending.value).toBe(false)
    wrapper.unmount()
  })

  it('keeps showing its run when the next start is refused', async () => {
    const pgflow = createBackend()
    const { result: flow, wrapper } = mountIn(pgflow, () => useFlow('wait'))
    const { run_id } = await flow.startAsync({ name: 'Ada' })
    await pgflow.settled()
    const circular: Record<string, unknown> = {}
    circular.name = circular
    // Nothing that TypeScript would let through.
    expect(await codeOf(flow.startAsync(circular as { name: string }))).toBe('invalid_input')
    const taken = pgflow.seedRun('wait', { name: 'Eve' })
    expect(await codeOf(flow.startAsync({ name: 'Bob' }, { runId: taken.id }))).toBe('run_conflict')
    expect(flow.run.value?.run_id).toBe(run_id)
    expect(flow.connection.value.status).toBe('live')
    expect(flow.error.value?.code).toBe('run_conflict')
    wrapper.unmount()
  })

  it('calls start from a template: it never rejects, and `error` reports why there is no run', async () => {
    const pgflow = createBackend()
    const { result: flow, wrapper } = mountIn(pgflow, () => useFlow('wait'))
    expect((await flow.start({ name: 'Ada' }))?.input).toEqual({ name: 'Ada' })
    pgflow.disallowStart('wait')
    expect(await flow.start({ name: 'Bob' })).toBeUndefined()
    expect(flow.error.value?.code).toBe('flow_not_allowed')
    const noInput: unknown = undefined
    expect(await flow.start(noInput as Json)).toBeUndefined()
    expect(flow.error.value?.code).toBe('invalid_input')
    expect(await flow.start({}, { runId: 'none' })).toBeUndefined()
    expect(flow.isPending.value).toBe(false)
    wrapper.unmount()
  })

  it('has a connection before there is a run', () => {
    const { result, wrapper } = mountIn(createBackend(), () => ({
      flow: useFlow('wait'),
      run: useRun(null),
      step: useStep(() => undefined, 'only'),
      runs: useRuns({ pageSize: 0 }),
    }))
    for (const view of [result.flow, result.run, result.step]) {
      expect(view.connection.value).toMatchObject({ status: 'idle', seq: null, error: null })
    }
    expect(result.runs.connection.value).toMatchObject({ status: 'closed' })
    wrapper.unmount()
  })

  it('can be used at once after reset(), whatever was under way', async () => {
    const pgflow = createBackend()
    const { result: flow, wrapper } = mountIn(pgflow, () => useFlow('wait'))
    pgflow.faults.hangRequest('start')
    const lost = codeOf(flow.startAsync({ name: 'one' }, { timeout: 5_000 }))
    flow.reset()
    expect(flow.isPending.value).toBe(false)
    expect(flow.status.value).toBe('idle')
    await flow.startAsync({ name: 'two' })
    await pgflow.advance(5_000)
    expect(await lost).toBe('timeout')
    expect(flow.error.value).toBeNull()
    expect(flow.run.value?.input).toEqual({ name: 'two' })
    wrapper.unmount()
  })

  it('that changes while its start is under way does not change what was sent', async () => {
    const pgflow = createBackend()
    const { result: flow, wrapper } = mountIn(pgflow, () => useFlow('wait'))
    const form = ref({ name: 'Ada' })
    const starting = flow.startAsync(form.value)
    form.value.name = 'Bob'
    expect((await starting).input).toEqual({ name: 'Ada' })
    expect(pgflow.latestRun().input).toEqual({ name: 'Ada' })
    wrapper.unmount()
  })

  it('works on a page without HTTPS, where crypto.randomUUID is missing', async () => {
    const pgflow = createBackend()
    const { result: flow, wrapper } = mountIn(pgflow, () => useFlow('wait'))
    const spy = vi.spyOn(crypto, 'randomUUID').mockImplementation(() => {
      throw new TypeError('crypto.randomUUID is not a function')
    })
    const run = await flow.startAsync({ name: 'Ada' })
    spy.mockRestore()
    expect(run.status).toBe('started')
    wrapper.unmount()
  })
})

describe('inside Suspense', () => {
  it('a component renders once the run is there', async () => {
    const pgflow = createBackend()
    const { id } = pgflow.seedRun('wait', { name: 'Ada' })
    const Shown = defineComponent({
      async setup() {
        const { run, ready } = useRun(id)
        await ready
        return () => h('p', JSON.stringify(run.value?.input))
      },
    })
    const wrapper = mount(
      { render: () => h(Suspense, null, { default: h(Shown), fallback: h('p', 'loading') }) },
      { global: { plugins: [createPinia(), pgflow] } },
    )
    expect(wrapper.text()).toBe('loading')
    await pgflow.settled()
    expect(wrapper.text()).toBe('{"name":"Ada"}')
    wrapper.unmount()
  })
})
