import { mount } from '@vue/test-utils'
import GettingStarted from 'docs:docs/guides/getting-started.md/src/App.vue'
import RunList from 'docs:docs/guides/showing-runs.md/src/RunList.vue'
import RunPage from 'docs:docs/guides/showing-runs.md/src/RunPage.vue'
import RunsOfPage from 'docs:docs/guides/showing-runs.md/src/RunsOfPage.vue'
import StepLine from 'docs:docs/guides/showing-runs.md/src/StepLine.vue'
import AnalyzeForm from 'docs:docs/guides/starting-runs.md/src/AnalyzeForm.vue'
import RetryStart from 'docs:docs/guides/starting-runs.md/src/RetryStart.vue'
import StartPage from 'docs:docs/guides/starting-runs.md/src/StartPage.vue'
import ReadmeApp from 'docs:README.md/src/App.vue'
import { createPinia } from 'pinia'
import { createTestPgflow, type TestPgflowOptions } from 'pinia-pgflow/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Component } from 'vue'
import { createMemoryHistory, createRouter, type Router } from 'vue-router'

const flows = {
  analyze_text: {
    words: { output: ['a', 'b'] },
    lengths: { deps: ['words'], type: 'map', output: (word: string) => word.length },
    summary: { deps: ['lengths'], output: { count: 2 } },
  },
} as const

function show(
  component: Component,
  props = {},
  options: TestPgflowOptions & { router?: Router } = {},
) {
  const { router, ...given } = options
  const pgflow = createTestPgflow({ flows, ...given })
  const plugins = [createPinia(), pgflow, ...(router ? [router] : [])]
  return { pgflow, wrapper: mount(component, { props, global: { plugins } }) }
}

describe.each([
  ['the README', ReadmeApp],
  ['getting started', GettingStarted],
])('the app of %s', (_name, App) => {
  it('shows status, steps and output', async () => {
    const { pgflow, wrapper } = show(App)
    await wrapper.find('textarea').setValue('a b')
    await wrapper.find('form').trigger('submit')
    await pgflow.settled()
    expect(wrapper.text()).toContain('words: started')
    await pgflow.latestRun().play()
    expect(wrapper.text()).toContain('completed')
    expect(wrapper.find('pre').text()).toContain('"count": 2')
  })

  it('shows why a start failed, and why a run did', async () => {
    const { pgflow, wrapper } = show(App)
    pgflow.faults.failRequest('unauthorized', 'start')
    await wrapper.find('form').trigger('submit')
    await pgflow.settled()
    expect(wrapper.find('[role=alert]').text()).not.toBe('')
    await wrapper.find('form').trigger('submit')
    await pgflow.settled()
    expect(wrapper.find('[role=alert]').exists()).toBe(false)
    await pgflow.latestRun().fail('words', 'the text is empty')
    expect(wrapper.text()).toContain('failed')
  })
})

describe('what the guide about starting shows', () => {
  it('clears the error', async () => {
    const { pgflow, wrapper } = show(AnalyzeForm)
    pgflow.disallowStart('analyze_text')
    await wrapper.find('form').trigger('submit')
    await pgflow.settled()
    expect(wrapper.find('[role=alert]').exists()).toBe(true)
    await wrapper.find('button[type=button]').trigger('click')
    expect(wrapper.find('[role=alert]').exists()).toBe(false)
  })

  it('goes to the page of the run', async () => {
    const router = createRouter({
      history: createMemoryHistory(),
      routes: [{ path: '/:path(.*)*', component: { render: () => null } }],
    })
    // Of the DOM, which has no globals of its own in tests.
    vi.stubGlobal('history', window.history)
    onTestFinished(() => void vi.unstubAllGlobals())
    await router.push('/')
    const { pgflow, wrapper } = show(StartPage, {}, { router })
    await wrapper.find('button').trigger('click')
    await pgflow.settled()
    await expect.poll(() => router.currentRoute.value.path).toBe(`/runs/${pgflow.latestRun().id}`)
  })

  it('tries the same start again, and starts one run', async () => {
    const { pgflow, wrapper } = show(RetryStart, { text: 'a' }, { startTimeout: 1_000 })
    pgflow.faults.loseReply('start')
    await pgflow.faults.goOffline()
    await wrapper.find('button').trigger('click')
    await pgflow.advance(2_000)
    const again = wrapper.findAll('button')[1]
    expect(again?.text()).toBe('Try again')
    await pgflow.faults.goOnline()
    await again?.trigger('click')
    await pgflow.advance(2_000)
    expect(wrapper.find('[role=alert]').exists()).toBe(false)
    expect(pgflow.runs).toHaveLength(1)
  })
})

describe('what the guide about showing shows', () => {
  it('is a run by its id, also one that is not there', async () => {
    const { pgflow, wrapper } = show(RunPage, { runId: crypto.randomUUID() })
    await pgflow.settled()
    expect(wrapper.find('[role=alert]').text()).toContain('Try again')
    const { id: runId } = pgflow.seedRun('analyze_text', { text: 'a' })
    await wrapper.setProps({ runId })
    await pgflow.settled()
    expect(wrapper.find('h1').text()).toBe('analyze_text: started')
    await pgflow.run(runId).play()
    expect(wrapper.find('h1').text()).toBe('analyze_text: completed')
  })

  it('is one step, with its tasks and attempts', async () => {
    const { pgflow, wrapper } = show(StepLine, { runId: crypto.randomUUID(), slug: 'lengths' })
    const { id: runId } = pgflow.seedRun('analyze_text', { text: 'a' })
    await wrapper.setProps({ runId })
    await pgflow.settled()
    const run = pgflow.run(runId)
    await run.complete('words')
    await run.progress('lengths', 1)
    expect(wrapper.text()).toContain('1 of 2')
    await run.retry('lengths')
    expect(wrapper.text()).toMatch(/Attempt \d failed/)
  })

  it('is a list, by status', async () => {
    const { pgflow, wrapper } = show(RunList)
    pgflow.seedRun('analyze_text', { text: 'a' })
    pgflow.seedRun('analyze_text', { text: 'b' }, { status: 'completed' })
    await pgflow.advance(20_000)
    expect(wrapper.findAll('li')).toHaveLength(2)
    await wrapper.find('select').setValue('started')
    await pgflow.settled()
    expect(wrapper.findAll('li').map((row) => row.text())).toEqual([
      expect.stringContaining('started'),
    ])
  })

  it('is every run that a page has started', async () => {
    const { pgflow, wrapper } = show(RunsOfPage)
    await wrapper.find('button').trigger('click')
    await pgflow.settled()
    await wrapper.find('button').trigger('click')
    await pgflow.settled()
    expect(wrapper.findAll('article')).toHaveLength(2)
  })
})
