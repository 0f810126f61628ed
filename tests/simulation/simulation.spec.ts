import { expect, it } from 'vitest'
import { readFound } from './found.ts'
import { makePlan } from './make-plan.ts'
import { play } from './play.ts'
import { reportOf, reportOfPlan } from './report.ts'

/** For how long new schedules are played, in ms of real time, and how many at most. */
const budget = 15_000
const most = 2_000

it('what is shown is true after any schedule of faults', async () => {
  const first = Math.floor(Math.random() * 2 ** 31)
  const end = performance.now() + budget
  let played = 0
  for (let seed = first; seed < first + most && performance.now() < end; seed += 1) {
    const { violations } = await play(makePlan(seed))
    if (violations.length > 0) expect.fail(await reportOf(seed))
    played += 1
  }
  expect(played).toBeGreaterThan(0)
})

it.each(readFound())('what was found once does not fail again: $what', async ({ plan }) => {
  const { violations } = await play(plan)
  if (violations.length > 0) expect.fail(await reportOfPlan(plan))
})

it('a seed plays the same schedule again', async () => {
  const once = await play(makePlan(7), { isJournalKept: true })
  const again = await play(makePlan(7), { isJournalKept: true })
  expect(again).toEqual(once)
  expect(once.timeline.length).toBeGreaterThan(10)
})
