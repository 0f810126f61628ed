import type { VueWrapper } from '@vue/test-utils'
import type { TestPgflow } from 'pinia-pgflow/testing'
import type { UseFlowReturn } from 'pinia-pgflow'
import type { Component } from 'vue'

export { createSSRApp } from 'vue'
export { renderToString } from 'vue/server-renderer'

/** What the guide about testing takes for given. */
export declare const pgflow: TestPgflow
export declare const start: UseFlowReturn['start']
export declare const text: string
export declare const wrapper: VueWrapper
export declare const Page: Component
export const flows = {
  report: { list: { output: ['a'] }, sum: { deps: ['list'] } },
} as const
