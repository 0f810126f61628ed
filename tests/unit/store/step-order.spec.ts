import { expect, it } from 'vitest'
import { createdStep, stepKey } from '../../../src/model/entities.ts'
import { createRunTables, insertIntoOrder } from '../../../src/store/run-tables.ts'

/** How many steps are looked at to put one more in its place among so many, at most. */
function looksAmong(count: number): number {
  let looks = 0
  const tables = createRunTables()
  const slugs = Array.from({ length: count }, (_, index) => `s${(index * 7919) % count}`)
  const rows = slugs.map((slug) => [stepKey('r', slug), createdStep('r', slug)] as const)
  const counted = new Proxy(Object.fromEntries(rows), {
    get: (target, key) => {
      looks += 1
      return Reflect.get(target, key) as unknown
    },
  })
  // Without Vue, which would read by itself.
  const steps = { value: counted, raw: () => counted } as typeof tables.steps
  let most = 0
  for (const slug of slugs) {
    looks = 0
    insertIntoOrder({ ...tables, steps }, 'r', slug)
    most = Math.max(most, looks)
  }
  expect(tables.stepOrder.value.r).toEqual(slugs.toSorted((a, b) => (a < b ? -1 : 1)))
  return most
}

it('a new step costs little more among 4,000 steps than among 40', () => {
  expect(looksAmong(4_000)).toBeLessThan(3 * looksAmong(40))
})
