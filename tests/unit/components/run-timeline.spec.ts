import { RunTimeline } from 'pinia-pgflow/components'
import type { TestFlow } from 'pinia-pgflow/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { createBackend, mountShown } from './support/mounted.ts'

const start = Date.parse('2026-01-01T12:00:00Z')
const mounted: { unmount: () => void }[] = []
beforeEach(() => vi.useFakeTimers({ now: start, toFake: ['Date', 'setInterval', 'clearInterval'] }))
afterEach(() => {
  for (const wrapper of mounted.splice(0)) wrapper.unmount()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

async function show(pgflow: ReturnType<typeof createBackend>, props: Record<string, unknown>) {
  const shown = await mountShown(pgflow, RunTimeline, props)
  mounted.push(shown.wrapper)
  return { ...shown, row: (slug: string) => shown.wrapper.get(`[data-step="${slug}"]`) }
}

describe('RunTimeline', () => {
  it('has a bar for each step that has started, as long as the step took', async () => {
    const pgflow = createBackend()
    const run = pgflow.seedRun('report', {})
    const { row, wrapper } = await show(pgflow, { runId: run.id })
    expect(wrapper.findAll('[role=option]')).toHaveLength(4)
    expect(row('page').find('.pgflow-bar').exists()).toBe(false)
    vi.setSystemTime(start + 2_000)
    await run.complete('list')
    expect(row('list').get('.pgflow-bar').attributes('style')).toBe('--_from: 0; --_to: 2000;')
    expect(row('list').text()).toContain('2.0 s')
    expect(row('list').get('.pgflow-row-name').text()).toBe('list: 2.0 s, completed')
    expect(row('each').get('.pgflow-bar').attributes('style')).toContain('--_from: 2000')
  })

  it('lets bars grow while something runs, by one timer', async () => {
    const pgflow = createBackend()
    const run = pgflow.seedRun('report', {})
    const { row, wrapper } = await show(pgflow, { runId: run.id })
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(3_000)
    await nextTick()
    expect(wrapper.get('.pgflow-rows').attributes('style')).toContain('--_now: 3000')
    expect(row('title').text()).toContain('3.0 s')
    expect(row('title').get('.pgflow-bar').attributes('style')).toContain('--_to: var(--_now)')
    await run.play()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('shows a step as just started, whatever the clock of the device is', async () => {
    const pgflow = createBackend()
    const run = pgflow.seedRun('report', {})
    vi.setSystemTime(start - 60_000)
    const { row } = await show(pgflow, { runId: run.id })
    expect(row('title').get('.pgflow-row-duration').text()).toBe('just started')
    expect(row('title').find('.pgflow-bar').exists()).toBe(true)
    // What changes all the time is not read out all the time.
    expect(row('title').get('.pgflow-row-name').text()).toBe('title: running')
    vi.setSystemTime(start + 2_000)
    vi.advanceTimersByTime(250)
    await nextTick()
    expect(row('title').get('.pgflow-row-duration').text()).toMatch(/^2\.\d s$/)
  })

  it('shows how long a step had run that had not ended with its run', async () => {
    const pgflow = createBackend()
    const run = pgflow.seedRun('report', {})
    vi.setSystemTime(start + 500)
    await run.fail('list', 'gave up')
    const { row } = await show(pgflow, { runId: run.id })
    expect(row('title').attributes('data-state')).toBe('running')
    expect(row('title').get('.pgflow-row-duration').text()).toBe('500 ms')
  })

  it('marks failed attempts, with their error', async () => {
    const pgflow = createBackend()
    const run = pgflow.seedRun('report', {})
    const { row } = await show(pgflow, { runId: run.id })
    vi.setSystemTime(start + 1_000)
    await run.retry('title', 'no answer')
    expect(row('title').get('.pgflow-mark').attributes('style')).toBe('--_from: 1000;')
    expect(row('title').text()).toContain('1 attempt failed · no answer')
    await run.fail('title', 'gave up')
    expect(row('title').text()).toContain('gave up')
    expect(row('title').attributes('data-state')).toBe('failed')
  })

  it('mounts only the rows that are seen', async () => {
    const steps = Array.from({ length: 2000 }, (_, index) => [`s${index}`, {}])
    const many = Object.fromEntries(steps) as TestFlow
    const pgflow = createBackend({ flows: { many } })
    const run = pgflow.seedRun('many', {})
    const { wrapper } = await show(pgflow, { runId: run.id })
    expect(wrapper.findAll('[role=option]').length).toBeLessThan(50)
    // So many signs that pulse would cost too much.
    expect(wrapper.classes()).not.toContain('pgflow-moving')
    expect(wrapper.get('.pgflow-rows-all').attributes('style')).toBe('height: 64000px;')
    await wrapper.get('[role=listbox]').trigger('keydown', { key: 'End' })
    const active = wrapper.get('[role=listbox]').attributes('aria-activedescendant')
    expect(document.getElementById(active ?? '')?.dataset.step).toBe('s1999')
  })

  it('mounts the rows that are scrolled to, of a run that came after the timeline', async () => {
    const steps = Array.from({ length: 2000 }, (_, index) => [`s${index}`, {}])
    const many = Object.fromEntries(steps) as TestFlow
    const pgflow = createBackend({ flows: { many } })
    const { wrapper } = await show(pgflow, { runId: null })
    await wrapper.setProps({ runId: pgflow.seedRun('many', {}).id })
    await pgflow.settled()
    const box = wrapper.get('[role=listbox]').element
    // There is no layout here.
    Object.defineProperty(box, 'clientHeight', { value: 480 })
    box.scrollTop = 32_000
    await wrapper.get('[role=listbox]').trigger('scroll')
    expect(wrapper.find('[data-step=s1000]').exists()).toBe(true)
    expect(wrapper.find('[data-step=s100]').exists()).toBe(false)
    expect(wrapper.findAll('[role=option]').length).toBeLessThan(50)
    expect(wrapper.classes()).toContain('pgflow-moving')
  })

  it('selects by clicks and keys', async () => {
    const pgflow = createBackend()
    const run = pgflow.seedRun('report', {})
    const { wrapper, row } = await show(pgflow, { runId: run.id })
    await row('each').trigger('click')
    expect(row('each').attributes('aria-selected')).toBe('true')
    const box = wrapper.get('[role=listbox]')
    await box.trigger('keydown', { key: 'Home' })
    await box.trigger('keydown', { key: 'Enter' })
    await box.trigger('keydown', { key: 'Escape' })
    const [first] = wrapper.findAll('[role=option]').map((option) => option.attributes('data-step'))
    expect(wrapper.emitted('update:step')).toEqual([['each'], [first], [null]])
  })
})
