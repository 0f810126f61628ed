import { afterEach, expect } from 'vitest'

/** What every object, array, text and function inherits: nothing may ever be written there. */
const prototypes = { Object, Array, Function, String, Number, Promise, Map, Set }
const ownKeys = () =>
  Object.entries(prototypes).map(([name, { prototype }]): [string, string] => [
    name,
    Reflect.ownKeys(prototype).map(String).join(),
  ])
const before = ownKeys()

afterEach(() => {
  expect(ownKeys(), 'prototypes that a test has written to').toEqual(before)
})
