import { expect, it } from 'vitest'
import { changedPrototypes } from '../../support/clean-prototypes.ts'

it.each([
  ['a name that was not there', { value: 1, configurable: true }],
  ['another getter', { get: () => 1, configurable: true }],
])('a prototype with %s is noticed', (_, added) => {
  Object.defineProperty(Object.prototype, 'polluted', added)
  try {
    expect(changedPrototypes()).toEqual(['Object.prototype.polluted'])
  } finally {
    Reflect.deleteProperty(Object.prototype, 'polluted')
  }
})

it('so are another value under an old name, and one that is enumerable now', () => {
  const own = Object.getOwnPropertyDescriptor(Object.prototype, 'valueOf') ?? {}
  for (const changed of [
    { ...own, value: () => 7 },
    { ...own, enumerable: true },
  ]) {
    Object.defineProperty(Object.prototype, 'valueOf', changed)
    const found = changedPrototypes()
    Object.defineProperty(Object.prototype, 'valueOf', own)
    expect(found).toEqual(['Object.prototype.valueOf'])
  }
  expect(changedPrototypes()).toEqual([])
})
