import type { FlowShape } from './entities.ts'

/**
 * The steps of a run in the order in which their flow defines them, each after those it depends on;
 * as they came where that is not known. Steps that the flow does not know come last.
 */
export function inFlowOrder(slugs: string[], shape: FlowShape | undefined): string[] {
  if (!shape) return slugs
  const left = new Set(slugs)
  const known = shape.steps.flatMap(({ step_slug }) => (left.delete(step_slug) ? step_slug : []))
  return [...known, ...left]
}
