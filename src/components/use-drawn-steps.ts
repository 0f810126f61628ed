import { computed, toRaw, type ComputedRef } from 'vue'
import type { FlowShape } from '../model/entities.ts'
import type { LayoutStep } from './layout/ranks.ts'
import type { ViewedRun } from './use-viewed-run.ts'

/**
 * The steps of a run with their dependencies: those of its flow, and further ones of the run. The
 * object stays the same until the shape changes, whatever the statuses.
 */
export function useDrawnSteps(
  { steps }: ViewedRun,
  shape: ComputedRef<FlowShape | undefined>,
): {
  steps: ComputedRef<LayoutStep[]>
  /** The slugs of the map steps. */
  maps: ComputedRef<ReadonlySet<string>>
} {
  const slugs = computed((before?: string[]) => {
    const now = steps.value.map((step) => step.step_slug)
    const isSame = before?.length === now.length && now.every((slug, at) => slug === before[at])
    return isSame ? before : now
  })
  const drawn = computed((): LayoutStep[] => {
    // Raw: a shape is replaced whole, and nothing needs to watch its insides.
    const known = toRaw(shape.value)?.steps ?? []
    const names = new Set(known.map((step) => step.step_slug))
    const others = slugs.value.filter((slug) => !names.has(slug))
    return [
      ...known.map(({ step_slug: slug, deps }) => ({ slug, deps })),
      ...others.map((slug) => ({ slug, deps: [] })),
    ]
  })
  const maps = computed(
    () =>
      new Set(
        toRaw(shape.value)
          ?.steps.filter(({ step_type: type }) => type === 'map')
          .map((step) => step.step_slug),
      ),
  )
  return { steps: drawn, maps }
}
