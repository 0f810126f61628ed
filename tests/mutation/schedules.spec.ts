import { expect, it } from 'vitest'
import { makePlan } from '../simulation/make-plan.ts'
import { play } from '../simulation/play.ts'

/** So many schedules of the simulation, the same each time: each is a test of its own. */
const seeds = Array.from({ length: 20 }, (_, index) => index + 1)

it.each(seeds)('what is shown is true after the schedule of seed %i', async (seed) => {
  const { violations } = await play(makePlan(seed))
  expect(violations).toEqual([])
})
