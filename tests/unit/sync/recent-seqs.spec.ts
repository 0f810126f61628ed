import { expect, it } from 'vitest'
import { RecentSeqs } from '../../../src/sync/lists/recent-seqs.ts'

const update = (run_id: string, seq: number | null) => ({
  run_id,
  seq,
  run: {},
  needsSnapshot: false,
})

it('what is not newer than what was heard is not new', () => {
  const recent = new RecentSeqs()
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

it('the last thousand runs are remembered, those heard of last the longest', () => {
  const recent = new RecentSeqs()
  for (let n = 0; n < 1_000; n += 1) recent.isNew(update(`r${n}`, 2))
  expect(recent.isNew(update('r0', 3))).toBe(true)
  expect(recent.isNew(update('r1', 1))).toBe(false)
  expect(recent.isNew(update('new', 1))).toBe(true)
  expect(recent.isNew(update('r0', 3))).toBe(false)
  expect(recent.isNew(update('r2', 1))).toBe(false)
  expect(recent.isNew(update('r1', 1))).toBe(true)
})

it('what was forgotten is new', () => {
  const recent = new RecentSeqs()
  for (const run_id of ['a', 'b']) recent.isNew(update(run_id, 2))
  recent.forget('a')
  expect([recent.isNew(update('a', 1)), recent.isNew(update('b', 1))]).toEqual([true, false])
  recent.clear()
  expect(recent.isNew(update('b', 1))).toBe(true)
})
