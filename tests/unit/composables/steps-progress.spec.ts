import type { PgflowStep } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { computed, shallowReactive, shallowRef } from 'vue'
import { stepsProgress } from '../../../src/composables/steps-progress.ts'
import { createdStep } from '../../../src/model/entities.ts'
import { progressOf } from '../../../src/model/progress.ts'

/** Steps that note who is looked at. */
function createSteps(count: number) {
  const looked = new Set<string>()
  const steps = Array.from({ length: count }, (_, index): PgflowStep => {
    const slug = `s${index}`
    return new Proxy(shallowReactive(createdStep('r', slug)), {
      get(step, field, receiver): unknown {
        looked.add(slug)
        return Reflect.get(step, field, receiver)
      },
    })
  })
  return { steps, looked }
}

describe('stepsProgress', () => {
  it('equals the count of all steps, after any change', () => {
    const { steps } = createSteps(130)
    const progress = stepsProgress(computed(() => steps))
    expect(progress.value).toEqual(progressOf(steps))
    const statuses = ['started', 'completed', 'failed', 'skipped', 'cancelled']
    for (const [index, step] of steps.entries()) {
      step.status = statuses[index % statuses.length] ?? ''
      Object.assign(step, { initial_tasks: 4, remaining_tasks: 1 })
      const { fraction, ...counts } = progressOf(steps)
      expect(progress.value).toMatchObject(counts)
      expect(progress.value.fraction).toBeCloseTo(fraction, 12)
    }
    for (const step of steps) step.status = 'completed'
    expect(progress.value.fraction).toBe(1)
  })

  it('looks only at few of many steps when one changes', () => {
    const { steps, looked } = createSteps(2_000)
    const progress = stepsProgress(computed(() => steps))
    expect(progress.value.done).toBe(0)
    expect(looked.size).toBe(2_000)
    looked.clear()
    for (const step of steps.slice(700, 701)) step.status = 'completed'
    expect(progress.value.done).toBe(1)
    expect(looked).toContain('s700')
    expect(looked.size).toBeLessThanOrEqual(50)
  })

  it('follows steps that are added and go', () => {
    const { steps } = createSteps(101)
    const shown = shallowRef<PgflowStep[]>([])
    const progress = stepsProgress(computed(() => shown.value))
    expect(progress.value).toMatchObject({ total: 0, fraction: 0 })
    shown.value = steps
    expect(progress.value.total).toBe(101)
    shown.value = steps.slice(100)
    for (const step of shown.value) step.status = 'completed'
    expect(progress.value).toMatchObject({ total: 1, done: 1, fraction: 1 })
  })
})
