import { computed, type ComputedRef } from 'vue'
import type { PgflowStep } from '../model/entities.ts'
import { addUp, progressOf, type Progress } from '../model/progress.ts'

/** About the square root of the usual largest number of steps: parts are few and small. */
const partSize = 50

/**
 * The progress of a run. A flow may have thousands of steps: they are counted in parts, and when
 * one changes, only the part that it is in is counted again.
 */
export function stepsProgress(steps: ComputedRef<readonly PgflowStep[]>): ComputedRef<Progress> {
  const parts = computed(() => {
    const all = steps.value
    return Array.from({ length: Math.ceil(all.length / partSize) }, (_, index) => {
      const part = all.slice(index * partSize, (index + 1) * partSize)
      return computed(() => progressOf(part))
    })
  })
  return computed(() => addUp(parts.value.map((part) => part.value)))
}
