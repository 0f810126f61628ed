import { Flow } from '@pgflow/dsl'
import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { createPgflow, useFlow, usePgflowStore, useRun } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { defineComponent, h, nextTick, ref, shallowRef } from 'vue'
import { mountApp } from '../support/app.ts'
import { connect, until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'

const Wait = new Flow<{ name: string }>({ slug: 'wait' })
  .step({ slug: 'first' }, async ({ run }) => {
    await fixture.gate.wait()
    return { hello: run.name }
  })
  .step({ slug: 'second', dependsOn: ['first'] }, () => null)

const fixture = useBackend([Wait])

describe('what renders again', () => {
  it('only the components that read what changed', async () => {
    const renders: Record<string, number> = { first: 0, second: 0, run: 0 }
    const StepRow = defineComponent({
      props: { runId: { type: String, required: true }, slug: { type: String, required: true } },
      setup(props) {
        const { step } = useRun(() => props.runId)
        return () => {
          renders[props.slug] = (renders[props.slug] ?? 0) + 1
          return h('li', `${props.slug} ${step(props.slug)?.status ?? ''}`)
        }
      },
    })
    const runId = shallowRef('')
    const Page = defineComponent({
      setup() {
        const { startAsync: start } = useFlow<typeof Wait>('wait')
        void start({ name: 'Ada' }).then((run) => (runId.value = run.run_id))
        return () =>
          runId.value === ''
            ? h('p', 'starting')
            : h('ul', [
                h(StepRow, { runId: runId.value, slug: 'first' }),
                h(StepRow, { runId: runId.value, slug: 'second' }),
              ])
      },
    })
    const pinia = createPinia()
    const plugins = [pinia, createPgflow({ supabase: fixture.supabase })]
    const wrapper = mount(Page, { global: { plugins } })
    await until(() => wrapper.text().includes('first started'))
    const store = usePgflowStore(pinia)
    await until(() => store.connections[runId.value]?.status === 'live')
    const before = { ...renders }

    // A snapshot that says nothing new renders nothing.
    await store.refreshRun(runId.value)
    await nextTick()
    expect(renders).toEqual(before)

    await fixture.backend.db.query(
      `update pgflow.step_states set status = 'started', started_at = now(), remaining_tasks = 1
       where run_id = $1 and step_slug = 'second'`,
      [runId.value],
    )
    await until(() => wrapper.text().includes('second started'))
    expect(renders.first).toBe(before.first)
    expect(renders.second).toBe((before.second ?? 0) + 1)
    wrapper.unmount()
  })
})

describe('what a component may do with ids', () => {
  it('follows another run when the id changes, and releases the one before', async () => {
    const flow = mountApp(fixture.supabase, () => useFlow<typeof Wait>('wait'))
    const one = await flow.result.startAsync({ name: 'one' })
    const two = await flow.result.startAsync({ name: 'two' })
    const watching = connect(fixture.backend)
    const id = ref<string | null>(one.run_id)
    const view = mountApp(watching, () => useRun<typeof Wait>(id), { gcTime: 0 })
    await until(() => view.result.connection.value.status === 'live')
    expect(view.result.run.value?.input).toEqual({ name: 'one' })
    id.value = two.run_id
    await until(() => view.result.connection.value.status === 'live')
    expect(view.result.run.value?.input).toEqual({ name: 'two' })
    await until(() => watching.getChannels().length === 1)
    id.value = null
    expect(view.result.run.value).toBeNull()
    expect(view.result.steps.value).toEqual([])
    await until(() => watching.getChannels().length === 0)
    view.wrapper.unmount()
    flow.wrapper.unmount()
  })
})

describe('what the store holds', () => {
  it('is plain data, and gone with the run that is removed [F37]', async () => {
    const {
      result: flow,
      store,
      wrapper,
    } = mountApp(fixture.supabase, () => useFlow<typeof Wait>('wait'))
    const { run_id } = await flow.startAsync({ name: 'Ada' })
    fixture.gate.open()
    await until(() => flow.status.value === 'completed')
    expect(JSON.parse(JSON.stringify(store.$state))).toEqual(store.$state)
    store.removeRun(run_id)
    for (const table of Object.values(store.$state))
      expect(['{}', '[]']).toContain(JSON.stringify(table))
    expect(flow.run.value).toBeNull()
    wrapper.unmount()
  })

  it('leaves every channel when the app unmounts', async () => {
    const { result: flow, wrapper } = mountApp(fixture.supabase, () => useFlow<typeof Wait>('wait'))
    await flow.startAsync({ name: 'Ada' })
    expect(fixture.supabase.getChannels()).toHaveLength(1)
    wrapper.unmount()
    expect(fixture.supabase.getChannels()).toHaveLength(0)
  })

  it('is not shared between apps', async () => {
    const one = mountApp(fixture.supabase, () => useFlow<typeof Wait>('wait'))
    const other = mountApp(connect(fixture.backend), () => useFlow<typeof Wait>('wait'))
    const { run_id } = await one.result.startAsync({ name: 'Ada' })
    expect(other.store.runs).toEqual({})
    await other.store.refreshRun(run_id)
    expect(other.store.runs[run_id]?.input).toEqual({ name: 'Ada' })
    other.wrapper.unmount()
    expect(fixture.supabase.getChannels()).toHaveLength(1)
    one.wrapper.unmount()
  })
})
