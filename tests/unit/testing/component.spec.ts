import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { useFlow } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { expect, it } from 'vitest'
import { defineComponent, h } from 'vue'

const Analyze = defineComponent({
  setup() {
    const { start, steps, status, error } = useFlow('analyze_text')
    return () => [
      h('form', { onSubmit: () => void start({ text: 'a b' }) }),
      h('p', error.value?.message ?? status.value),
      h(
        'ul',
        steps.value.map((step) =>
          h('li', `${step.step_slug} ${step.status} ${JSON.stringify(step.output)}`),
        ),
      ),
    ]
  },
})

it('tests a component in three lines', async () => {
  const pgflow = createTestPgflow({
    flows: { analyze_text: { words: {}, summary: { deps: ['words'], output: 'short' } } },
  })
  const wrapper = mount(Analyze, { global: { plugins: [createPinia(), pgflow] } })
  await wrapper.find('form').trigger('submit')
  await pgflow.latestRun().complete('words', ['a', 'b'])
  expect(wrapper.text()).toContain('words completed ["a","b"]')
  expect(wrapper.text()).toContain('summary started')
  await pgflow.latestRun().play()
  expect(wrapper.find('p').text()).toBe('completed')
  expect(wrapper.text()).toContain('summary completed "short"')
})
