import type { SupabaseClient } from '@supabase/supabase-js'
import { mount } from '@vue/test-utils'
import { createPinia, type Pinia } from 'pinia'
import { createPgflow, usePgflowListStore, usePgflowStore } from 'pinia-pgflow'
import type { PgflowError, PgflowOptions, TraceKind, TraceRecord } from 'pinia-pgflow'
import { defineComponent, h, type Plugin } from 'vue'
import { countOf } from './traced.ts'

/** Mounts a component that runs `setup` in an app with this plugin, and returns what it made. */
export function mountIn<T>(plugin: Plugin, setup: () => T, pinia: Pinia = createPinia()) {
  const made: T[] = []
  const component = defineComponent({
    setup() {
      made.push(setup())
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
    get result(): T {
      const [result] = made
      if (result === undefined) throw new Error('setup did not run')
      return result
    },
  }
}

/** Does so in an app over Supabase, and keeps what is reported and traced. */
export function mountApp<T>(
  supabase: SupabaseClient,
  setup: () => T,
  options: Omit<Partial<PgflowOptions>, 'supabase'> = {},
) {
  const reported: PgflowError[] = []
  const traced: TraceRecord[] = []
  const plugin = createPgflow({
    supabase,
    onError: (error) => reported.push(error),
    trace: (record) => traced.push(record),
    ...options,
  })
  return Object.assign(mountIn(plugin, setup), {
    reported,
    /** How many things of a kind the sync has done, with one run or all. */
    traced: (kind: TraceKind, key?: string) => countOf(traced, kind, key),
  })
}
