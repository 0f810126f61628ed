import type { SupabaseClient } from '@supabase/supabase-js'
import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { createPgflow, usePgflowListStore, usePgflowStore } from 'pinia-pgflow'
import type { PgflowError, PgflowOptions, TraceKind, TraceRecord } from 'pinia-pgflow'
import { defineComponent, h } from 'vue'

import { countOf } from './traced.ts'

/** Mounts a component that runs `setup` in an app with the plugin, and returns what it made. */
export function mountApp<T>(
  supabase: SupabaseClient,
  setup: () => T,
  options: Omit<Partial<PgflowOptions>, 'supabase'> = {},
) {
  const pinia = createPinia()
  const reported: PgflowError[] = []
  const traced: TraceRecord[] = []
  const plugin = createPgflow({
    supabase,
    onError: (error) => reported.push(error),
    trace: (record) => traced.push(record),
    ...options,
  })
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
    get lists() {
      return usePgflowListStore(pinia)
    },
    reported,
    /** How many things of a kind the sync has done, with one run or all. */
    traced: (kind: TraceKind, key?: string) => countOf(traced, kind, key),
    get result(): T {
      if (made.value === undefined) throw new Error('setup did not run')
      return made.value
    },
  }
}
