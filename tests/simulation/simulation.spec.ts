import { expect, it } from 'vitest'
import { playSchedule } from './schedule.ts'

it('the store equals the database after any schedule of faults', async () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const { violations } = await playSchedule(seed)
    expect(violations, `npm run simulate -- --runs 1 --seed ${seed}`).toEqual([])
  }
})

it('a seed plays the same schedule again', async () => {
  expect(await playSchedule(7)).toEqual(await playSchedule(7))
})
