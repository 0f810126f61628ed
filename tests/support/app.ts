import type { SupabaseClient } from '@supabase/supabase-js'
import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { createPgflow, usePgflowStore, type PgflowError, type PgflowOptions } from 'pinia-pgflow'
import { defineComponent, h } from 'vue'

/** Mounts a component that runs `setup` in an app with the plugin, and returns what it made. */
export function mountApp<T>(
  supabase: SupabaseClient,
  setup: () => T,
  options: Omit<Partial<PgflowOptions>, 'supabase'> = {},
) {
  const pinia = createPinia()
  const reported: PgflowError[] = []
  const plugin = createPgflow({ supabase, onError: (error) => reported.push(error), ...options })
  const made: { value?: T } = {}
  const component = defineComponent({
    setup() {
      made.value = setup()
      return () => h('div')
    },
  })
  const wrapper = mount(component, { global: { plugins: [pinia, plugin] } })
  return {
    wrapper,
    pinia,
    store: usePgflowStore(pinia),
    reported,
    get result(): T {
      if (made.value === undefined) throw new Error('setup did not run')
      return made.value
    },
  }
}
