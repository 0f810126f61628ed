import { mount } from '@vue/test-utils'
import { createPinia, type Pinia } from 'pinia'
import { usePgflowListStore, usePgflowStore } from 'pinia-pgflow'
import type { TestPgflow } from 'pinia-pgflow/testing'
import { defineComponent, h } from 'vue'

/** Mounts a component that runs `setup` in an app over a database in memory. */
export function mountIn<T>(pgflow: TestPgflow, setup: () => T, pinia: Pinia = createPinia()) {
  const made: T[] = []
  const component = defineComponent({
    setup() {
      made.push(setup())
      return () => h('div')
    },
  })
  const wrapper = mount(component, { global: { plugins: [pinia, pgflow] } })
  const [result] = made
  if (result === undefined) throw new Error('setup did not run')
  const store = usePgflowStore(pinia)
  return { wrapper, pinia, store, lists: usePgflowListStore(pinia), result }
}

/** The code that a promise is rejected with, or `none` when it is not. */
export function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'none',
    (thrown: unknown) => (thrown instanceof Error && 'code' in thrown ? thrown.code : thrown),
  )
}
