import { expect, it } from 'vitest'
import { parseSeqs, parseSnapshot, toParsed } from '../../../src/model/wire.ts'

const ids = ['a', 'b']

it('seqs are those of the runs that were requested', () => {
  expect(parseSeqs({ a: 1 }, ids)).toEqual({ ok: true, value: new Map([['a', 1]]) })
  expect(parseSeqs({ c: 1 }, ids)).toEqual({ ok: false, reason: 'a run that was not asked for' })
})

it.each([null, 1, 'a', [], [1]])('seqs are an object, and not %j', (reply) => {
  expect(parseSeqs(reply, ids)).toEqual({ ok: false, reason: 'expected an object' })
})

it.each([-1, 0.5, 2 ** 53, '1', null])('a seq is a whole number, and not %j', (seq) => {
  expect(parseSeqs({ a: seq }, ids).ok).toBe(false)
})

it('what cannot be parsed is named by its path and what was expected there', () => {
  expect(parseSnapshot(7)).toEqual({ ok: false, reason: 'Object was expected' })
  expect(toParsed({ success: false, issues: [] })).toEqual({
    ok: false,
    reason: 'another value was expected',
  })
})
