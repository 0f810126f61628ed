import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import type {
  PgflowError,
  PgflowRun,
  PgflowStep,
  usePgflowListStore,
  usePgflowStore,
  UseFlowReturn,
} from 'pinia-pgflow'
import type { RunRecording } from 'pinia-pgflow/testing'
import type { Pinia } from 'pinia'
import type { Component } from 'vue'

/** What the examples of doc comments may take for given. */
export { Flow } from '@pgflow/dsl'
export { createClient } from '@supabase/supabase-js'
export { mount } from '@vue/test-utils'
export { createPinia } from 'pinia'
export { expect } from 'vitest'
export * as v from 'valibot'
export { computed, createApp, onScopeDispose, ref, toRaw, watch } from 'vue'

export const AnalyzeText = new Flow<{ text: string }>({ slug: 'analyze_text' })
  .step({ slug: 'words' }, ({ run }) => run.text.split(' '))
  .map({ slug: 'lengths', array: 'words' }, (word) => word.length)
  .step({ slug: 'summary', dependsOn: ['lengths'] }, ({ lengths }) => ({ count: lengths.length }))

export declare const App: Component
export declare const pinia: Pinia
export declare const recording: RunRecording
export declare const supabase: SupabaseClient
export declare const url: string
export declare const key: string
export declare const text: string
export declare const runId: string
export declare const props: { runId: string }
export declare const route: { params: { runId: string } }
export declare const run: PgflowRun
export declare const step: PgflowStep
export declare const failure: PgflowError
export declare const pgflow: ReturnType<typeof usePgflowStore>
export declare const lists: ReturnType<typeof usePgflowListStore>
export declare const startAsync: UseFlowReturn<typeof AnalyzeText>['startAsync']
export declare const showRetry: (runId: string | null) => void
export declare const notify: (message: string | null) => void
