import { expect, it } from 'vitest'
import { RecentSeqs } from '../../../src/sync/lists/recent-seqs.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const update = (run_id: string, seq: number | null) => ({
  run_id,
  seq,
  run: {},
  needsSnapshot: false,
})

it('what is not newer than what was received is not new', () => {
  const recent = new RecentSeqs(new VirtualClock(() => 0.5))
  const seqs = [2, 1, 2, 3, null, 3]
  expect(seqs.map((seq) => recent.isNew(update('r', seq)))).toEqual([
    true,
    false,
    false,
    true,
    true,
    false,
  ])
})

it('the last thousand runs are kept, those with the latest update the longest', () => {
  const recent = new RecentSeqs(new VirtualClock(() => 0.5))
  for (let n = 0; n < 1_000; n += 1) recent.isNew(update(`r${n}`, 2))
  expect(recent.isNew(update('r0', 3))).toBe(true)
  expect(recent.isNew(update('r1', 1))).toBe(false)
  expect(recent.isNew(update('new', 1))).toBe(true)
  expect(recent.isNew(update('r0', 3))).toBe(false)
  expect(recent.isNew(update('r2', 1))).toBe(false)
  expect(recent.isNew(update('r1', 1))).toBe(true)
})

it('what was forgotten is new', () => {
  const recent = new RecentSeqs(new VirtualClock(() => 0.5))
  for (const run_id of ['a', 'b']) recent.isNew(update(run_id, 2))
  recent.forget('a')
  expect([recent.isNew(update('a', 1)), recent.isNew(update('b', 1))]).toEqual([true, false])
  recent.clear()
  expect(recent.isNew(update('b', 1))).toBe(true)
})

it('what was received counts for 30 s, unless something may have been missed since', async () => {
  const clock = new VirtualClock(() => 0.5)
  const recent = new RecentSeqs(clock)
  await clock.advance(10_000)
  recent.isNew(update('r', 2))
  expect([recent.lately('r'), recent.lately('other')]).toEqual([2, null])
  await clock.advance(29_999)
  expect(recent.lately('r')).toBe(2)
  await clock.advance(2)
  expect(recent.lately('r')).toBeNull()
  recent.isNew(update('r', 3))
  await clock.advance(1)
  recent.doubt()
  expect(recent.lately('r')).toBeNull()
})

it('an update after a doubt counts, also where the clock was set back', () => {
  const clock = new VirtualClock(() => 0.5)
  clock.time = 10_000
  const recent = new RecentSeqs(clock)
  recent.isNew(update('before', 1))
  recent.doubt()
  clock.time = 0
  recent.isNew(update('after', 1))
  expect([recent.lately('before'), recent.lately('after')]).toEqual([null, 1])
})
