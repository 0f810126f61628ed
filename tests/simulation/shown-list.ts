import type { UseRunsReturn } from '../../src/composables/use-runs.ts'
import { flowSlug } from './flows.ts'
import type { ListPlan } from './plan.ts'

/** A list that the app shows. */
export interface ShownList {
  plan: ListPlan
  handle: UseRunsReturn
}

/** A list as the library takes it. */
export function listOf({ flow, status, pageSize }: ListPlan) {
  return { flow: flow === null ? null : flowSlug(flow), status, pageSize }
}
