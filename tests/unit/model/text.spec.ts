import { expect, it } from 'vitest'
import { asRunId, createRunId, isRunId, notARunId, toRunId } from '../../../src/model/run-id.ts'
import { clip } from '../../../src/model/text.ts'

it.each([
  ['abc', 3, 'abc'],
  ['abcd', 3, 'abc…'],
  ['ab', 3, 'ab'],
  ['a\nb\u0000', 9, 'a?b?'],
  ['ab\u{1f600}', 3, 'ab…'],
  ['a\u{1f600}bc', 3, 'a\u{1f600}…'],
])('%j clipped to %i is %j', (text, most, clipped) => {
  expect(clip(text, most)).toBe(clipped)
})

it('a text is clipped to sixty characters by default', () => {
  expect(clip('a'.repeat(60))).toBe('a'.repeat(60))
  expect(clip('a'.repeat(90))).toBe(`${'a'.repeat(60)}…`)
})

it('an id of a run is a UUID, and capitals are those of Postgres', () => {
  const id = '00000001-ABCD-4abc-8abc-abcdefabcdef'
  expect(asRunId(id)).toBe(id.toLowerCase())
  expect(toRunId(id)).toBe(id.toLowerCase())
  expect(isRunId(id)).toBe(false)
  expect([asRunId('x'), asRunId(7), asRunId(null)]).toEqual([null, null, null])
})

it.each<[unknown, string]>([
  ['nothing', '"nothing" is not the id of a run, which is a UUID.'],
  [7, 'A value of type number is not the id of a run, which is a UUID.'],
])('%j is refused as the id of a run', (id, message) => {
  const expected = { code: 'invalid_input', message }
  expect(() => toRunId(id)).toThrow(expect.objectContaining(expected))
  expect(notARunId(id)).toMatchObject(expected)
})

it('new ids are random UUIDs of version 4', () => {
  const ids = Array.from({ length: 64 }, createRunId)
  const version4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
  for (const id of ids) expect(id).toMatch(version4)
  for (const place of [15, 20]) {
    expect(new Set(ids.map((id) => id.charAt(place))).size).toBeGreaterThan(1)
  }
})
