import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { usePgflowStore } from 'pinia-pgflow'
import { createTestPgflow, type TestFlow, type TestPgflowOptions } from 'pinia-pgflow/testing'
import { type Component } from 'vue'

/** A flow with a fork, a map step and a step that takes both. */
export const report = {
  list: { output: [1, 2, 3] },
  each: { deps: ['list'], type: 'map', output: [1, 4, 9] },
  title: { output: 'Squares' },
  page: { deps: ['each', 'title'], output: 'done' },
} satisfies TestFlow

export const flows = { report }

export const createBackend = (options: Partial<TestPgflowOptions> = {}) =>
  createTestPgflow({ flows, onError: () => undefined, ...options })

/** Mounts a component in an app over a database in memory, and waits until it shows all there is. */
export async function mountShown(
  pgflow: ReturnType<typeof createTestPgflow>,
  component: Component,
  props: Record<string, unknown>,
  slots: Record<string, string> = {},
) {
  const pinia = createPinia()
  const wrapper = mount(component, {
    props,
    slots,
    global: { plugins: [pinia, pgflow] },
    attachTo: document.body,
  })
  await pgflow.settled()
  return { wrapper, store: usePgflowStore(pinia) }
}
