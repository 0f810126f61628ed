import type { FlowShape } from './entities.ts'

/**
 * The steps of a run in the order of their flow, each after those it depends on; unchanged if the
 * flow's shape is not given. Steps that the shape does not contain come last.
 */
export function inFlowOrder(slugs: string[], shape: FlowShape | undefined): string[] {
  if (!shape) return slugs
  const left = new Set(slugs)
  const known = shape.steps.flatMap(({ step_slug }) => (left.delete(step_slug) ? step_slug : []))
  return [...known, ...left]
}
