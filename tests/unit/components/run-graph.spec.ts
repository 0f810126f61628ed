import { RunGraph } from 'pinia-pgflow/components'
import { afterEach, describe, expect, it } from 'vitest'
import { createBackend, mountShown } from './support/mounted.ts'

const mounted: { unmount: () => void }[] = []
afterEach(() => {
  for (const wrapper of mounted.splice(0)) wrapper.unmount()
})

async function show(
  pgflow: ReturnType<typeof createBackend>,
  props: Record<string, unknown>,
  slots: Record<string, string> = {},
) {
  const shown = await mountShown(pgflow, RunGraph, props, slots)
  mounted.push(shown.wrapper)
  const node = (slug: string) => shown.wrapper.get(`[data-step="${slug}"]`)
  return { ...shown, node, label: (slug: string) => node(slug).attributes('aria-label') ?? '' }
}

describe('RunGraph', () => {
  it('draws each step with its state, and follows it', async () => {
    const pgflow = createBackend()
    const run = pgflow.seedRun('report', {})
    const { wrapper, node, label } = await show(pgflow, { runId: run.id })
    expect(node('list').attributes('data-state')).toBe('running')
    expect(node('page').attributes('data-state')).toBe('waiting')
    expect(label('page')).toBe('page: waiting, after each, title')
    expect(wrapper.get('.pgflow-edges').attributes('d')?.match(/M/g)).toHaveLength(3)
    await run.complete('list')
    expect(node('list').attributes('data-state')).toBe('completed')
    expect(wrapper.get('[role=listbox]').attributes('aria-label')).toBe('Steps of report: 4')
    await run.play()
    expect(wrapper.findAll('[data-state=completed]')).toHaveLength(4)
  })

  it('shows how many tasks of a map step are done', async () => {
    const pgflow = createBackend()
    const run = pgflow.seedRun('report', {}, { completed: { list: undefined } })
    const { node, label } = await show(pgflow, { runId: run.id })
    expect(node('each').text()).toContain('0 of 3')
    await run.progress('each', 2)
    expect(node('each').text()).toContain('2 of 3')
    expect(label('each')).toBe('each: 2 of 3 tasks, running, after list')
    expect(Number(node('each').get('.pgflow-tasks').attributes('width'))).toBeCloseTo(190 * (2 / 3))
  })

  it('shows attempts that failed while a step is retried, and why it failed in the end', async () => {
    const pgflow = createBackend()
    const run = pgflow.seedRun('report', {})
    const { node, label } = await show(pgflow, { runId: run.id })
    await run.retry('title', 'no answer')
    expect(node('title').attributes('data-state')).toBe('retrying')
    expect(label('title')).toBe('title: 1 attempt failed, retrying, no answer')
    await run.retry('title', 'no answer')
    await run.fail('title', 'gave up')
    expect(node('title').attributes('data-state')).toBe('failed')
    expect(node('title').text()).toContain('gave up')
    expect(label('title')).toContain('title: gave up, failed, 2 attempts failed')
  })

  it('shows attempts that failed before it was mounted', async () => {
    const pgflow = createBackend()
    const run = pgflow.seedRun('report', {})
    await run.retry('title', 'no answer')
    const { label } = await show(pgflow, { runId: run.id })
    expect(label('title')).toContain('1 attempt failed, retrying')
    await run.complete('title')
    expect(label('title')).toMatch(/^title: 1 attempt failed, .*completed/)
  })

  it('does not draw the graph again when a status changes', async () => {
    const pgflow = createBackend()
    const run = pgflow.seedRun('report', {})
    const { wrapper, node } = await show(pgflow, { runId: run.id })
    const before = node('page').element.outerHTML
    const elements = wrapper.findAll('[data-step]').map((each) => each.element)
    await run.complete('list')
    expect(node('page').element.outerHTML).toBe(before)
    expect(wrapper.findAll('[data-step]').map((each) => each.element)).toEqual(elements)
  })

  it('shows the steps without edges when the shape cannot be read, and draws it later', async () => {
    const pgflow = createBackend()
    const run = pgflow.seedRun('report', {})
    pgflow.faults.failRequest('unreachable', 'flow')
    const { wrapper } = await show(pgflow, { runId: run.id })
    expect(wrapper.findAll('[data-step]')).toHaveLength(4)
    expect(wrapper.get('.pgflow-edges').attributes('d')).toBe('')
    expect(wrapper.text()).toContain('The steps are shown without their order')
    await wrapper.get('button').trigger('click')
    await pgflow.settled()
    expect(wrapper.text()).not.toContain('without their order')
    expect(wrapper.get('.pgflow-edges').attributes('d')).not.toBe('')
  })

  it('shows why there is no run', async () => {
    const pgflow = createBackend()
    const { wrapper } = await show(pgflow, { runId: null })
    expect(wrapper.text()).toBe('No run is chosen.')
    await wrapper.setProps({ runId: 'nonsense' })
    expect(wrapper.get('[role=alert]').text()).toContain(
      '"nonsense" is not the id of a run, which is a UUID.',
    )
    await wrapper.setProps({ runId: crypto.randomUUID() })
    expect(wrapper.text()).toBe('The run is loading.')
    await pgflow.settled()
    expect(wrapper.get('[role=alert]').text()).toContain('There is no run')
    expect(wrapper.findAll('[data-step]')).toHaveLength(0)
    await wrapper.setProps({ runId: pgflow.seedRun('report', {}).id })
    await pgflow.settled()
    expect(wrapper.findAll('[data-step]')).toHaveLength(4)
  })

  it('shows that the run may be old', async () => {
    const pgflow = createBackend()
    const { wrapper } = await show(pgflow, { runId: pgflow.seedRun('report', {}).id })
    await pgflow.faults.goOffline()
    expect(wrapper.text()).toContain('This may be out of date.')
    await pgflow.faults.goOnline()
    await pgflow.advance(2_000)
    expect(wrapper.text()).not.toContain('This may be out of date.')
  })

  it('draws a step by a slot', async () => {
    const pgflow = createBackend()
    const { wrapper } = await show(
      pgflow,
      { runId: pgflow.seedRun('report', {}).id },
      {
        node: '<template #node="{ slug, state, width }"><text>{{ slug }} is {{ state }} in {{ width }}</text></template>',
      },
    )
    expect(wrapper.get('[data-step=list]').text()).toBe('list is running in 190')
  })
})

describe('the selection of RunGraph', () => {
  it('is made and taken back by a click', async () => {
    const pgflow = createBackend()
    const { wrapper, node } = await show(pgflow, { runId: pgflow.seedRun('report', {}).id })
    await node('each').trigger('click')
    expect(wrapper.emitted('update:step')).toEqual([['each']])
    expect(node('each').attributes('aria-selected')).toBe('true')
    expect(wrapper.get('.pgflow-edges-selected').attributes('d')?.match(/M/g)).toHaveLength(2)
    await node('each').trigger('click')
    expect(wrapper.emitted('update:step')).toEqual([['each'], [null]])
  })

  it('is made by keys, which go along the edges', async () => {
    const pgflow = createBackend()
    const { wrapper, node } = await show(pgflow, { runId: pgflow.seedRun('report', {}).id })
    const box = wrapper.get('[role=listbox]')
    const press = (key: string) => box.trigger('keydown', { key })
    const focused = () => document.activeElement?.getAttribute('data-step')
    expect(wrapper.findAll('[tabindex="0"]')).toHaveLength(1)
    ;(node('list').element as SVGElement).focus()
    await press('ArrowRight')
    expect(focused()).toBe('each')
    await press('ArrowRight')
    expect(focused()).toBe('page')
    await press('Enter')
    expect(node('page').attributes('aria-selected')).toBe('true')
    await press('Home')
    expect(focused()).toBe('list')
    await press('ArrowDown')
    expect(focused()).toBe('title')
    await press('ArrowDown')
    expect(focused()).toBe('title')
    await press('ArrowRight')
    await press('ArrowLeft')
    expect(['each', 'title']).toContain(focused())
    await press('Escape')
    expect(wrapper.emitted('update:step')).toEqual([['page'], [null]])
  })

  it('is given from outside, and may name a step that there is not', async () => {
    const pgflow = createBackend()
    const runId = pgflow.seedRun('report', {}).id
    const { wrapper, node } = await show(pgflow, { runId, step: 'title' })
    expect(node('title').attributes()).toMatchObject({ 'aria-selected': 'true', tabindex: '0' })
    await wrapper.setProps({ step: 'constructor' })
    expect(wrapper.findAll('[aria-selected=true]')).toHaveLength(0)
    expect(wrapper.findAll('[tabindex="0"]')).toHaveLength(1)
  })
})
