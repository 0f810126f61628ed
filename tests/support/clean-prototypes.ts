import { afterEach, expect } from 'vitest'

/** What every object, array, text and function inherits: nothing may ever be written there. */
const prototypes = { Object, Array, Function, String, Number, Promise, Map, Set }

/** Each property with all that it is: a name that was there before may be given another value. */
const properties = () =>
  Object.entries(prototypes).flatMap(([name, { prototype }]) =>
    Reflect.ownKeys(prototype).map((key): [string, PropertyDescriptor | undefined] => [
      `${name}.prototype.${String(key)}`,
      Reflect.getOwnPropertyDescriptor(prototype, key),
    ]),
  )

const before = new Map(properties())

/** What differs from what was there before the tests. */
export function changedPrototypes(): string[] {
  const now = new Map(properties())
  const names = [...new Set([...before.keys(), ...now.keys()])]
  return names.filter((name) => !isSame(before.get(name), now.get(name)))
}

function isSame(a: PropertyDescriptor | undefined, b: PropertyDescriptor | undefined): boolean {
  if (!a || !b) return a === b
  const fields = ['value', 'get', 'set', 'writable', 'enumerable', 'configurable'] as const
  // By identity: another function of the same text is another function.
  return fields.every((field) => Object.is(Reflect.get(a, field), Reflect.get(b, field)))
}

afterEach(() => {
  expect(changedPrototypes(), 'prototypes that a test has written to').toEqual([])
})
