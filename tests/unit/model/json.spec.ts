import { describe, expect, it } from 'vitest'
import { isSameJson, isStorable, notSendable, toJson } from '../../../src/model/json.ts'
import { PgflowError } from '../../../src/errors.ts'

function thrownBy(work: () => unknown): PgflowError {
  try {
    work()
  } catch (error) {
    if (error instanceof PgflowError) return error
  }
  throw new Error('nothing was thrown')
}

describe('an input', () => {
  it('is copied as JSON has it', () => {
    const input = { a: [1, { b: null }] }
    const copy = toJson(input)
    expect(copy).toEqual(input)
    input.a.push(2)
    expect(copy).toEqual({ a: [1, { b: null }] })
  })

  it.each([
    ['a\u0000', 'The input holds a zero byte, which Postgres cannot.'],
    ['\\\u0000', 'The input holds a zero byte, which Postgres cannot.'],
    ['\ud800', 'The input holds half a character (a lone surrogate), which Postgres cannot.'],
    [
      { a: ['\udfff'] },
      'The input holds half a character (a lone surrogate), which Postgres cannot.',
    ],
  ])('that Postgres cannot hold is refused: %j', (input, message) => {
    expect(thrownBy(() => toJson(input))).toMatchObject({ code: 'invalid_input', message })
  })

  it.each(['\\u0000', '\\\\u0000', '\\ud800', '\u0100', '\u{1f600}', '\u0001'])(
    'that only looks like it is not: %j',
    (input) => {
      expect(toJson(input)).toBe(input)
      expect(isStorable(input)).toBe(true)
    },
  )

  it('that JSON does not have is refused', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    for (const input of [undefined, () => 1, circle, 1n]) {
      const error = thrownBy(() => Reflect.apply(toJson, undefined, [input]))
      expect(error).toMatchObject({
        code: 'invalid_input',
        message: 'The input cannot be written as JSON.',
      })
      expect(error.cause).toBeInstanceOf(TypeError)
    }
    const nothing = thrownBy(() => Reflect.apply(toJson, undefined, [undefined]))
    expect(nothing.cause).toMatchObject({ message: 'undefined is not JSON' })
  })

  it('that is nested too deeply is refused', () => {
    let deep: unknown[] = []
    for (let level = 0; level < 200_000; level += 1) deep = [deep]
    const message = 'The input is too large or nested too deeply to send.'
    const error = thrownBy(() => Reflect.apply(toJson, undefined, [deep]))
    expect(error).toMatchObject({ code: 'invalid_input', message })
    expect(notSendable('why')).toMatchObject({ code: 'invalid_input', message, cause: 'why' })
  })
})

it.each(['\u0000', '\ud83d', '\udc00'])('Postgres cannot hold %j', (text) => {
  expect(isStorable(text)).toBe(false)
})

it.each([
  [{ a: 1, b: [2, { c: null }] }, { b: [2, { c: null }], a: 1 }, true],
  [{ a: 1 }, { a: 2 }, false],
  [{ a: 1 }, { b: 1 }, false],
  [{ a: undefined }, { b: undefined }, false],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [{ a: { b: 1 } }, { a: { b: 2 } }, false],
  [{ a: {} }, { a: null }, false],
  [{ a: null }, { a: {} }, false],
  [{ a: {} }, { a: 1 }, false],
  [[], {}, false],
  [[1], { 0: 1 }, false],
  [null, {}, false],
  [{}, null, false],
  [0, -0, true],
  ['1', 1, false],
])('%j and %j say the same: %s', (a, b, isSame) => {
  expect(isSameJson(a, b)).toBe(isSame)
})
