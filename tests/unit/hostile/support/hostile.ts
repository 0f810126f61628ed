import fc from 'fast-check'
import { unref } from 'vue'

/** Names that every object inherits, or that mean something to somebody on the way. */
export const inheritedNames = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__defineGetter__',
]

/** Slugs that pgflow takes and JavaScript trips over. */
export const slugs = [...inheritedNames, 'then', 'length', 'null', 'undefined', 'toJSON', '__v_raw']

const uuid = '0f0e0d0c-0b0a-4908-8706-050403020100'

/** What an address bar, a form or a program without types may pass for the id of a run. */
export const notIds: unknown[] = [
  ...inheritedNames,
  '',
  ' ',
  '*',
  '../../x',
  'new',
  '7',
  `{${uuid}}`,
  ` ${uuid}`,
  `${uuid}\n`,
  `${uuid}/a`,
  uuid.replaceAll('-', ''),
  `urn:uuid:${uuid}`,
  `${uuid}\0`,
  '\ud800',
  'x'.repeat(100_000),
  0,
  true,
  {},
  [],
  [uuid],
  ['__proto__'],
]

/** Whatever is not the id of a run. */
export const notId = fc.oneof(
  fc.constantFrom(...notIds),
  fc.string({ unit: 'binary' }).filter((text) => !/^[0-9a-f-]{36}$/i.test(text)),
)

/** A name that may come from outside. */
export const name = fc.oneof(
  fc.constantFrom(...slugs),
  fc.string({ unit: 'binary', maxLength: 20 }),
)

/** JSON as a stranger writes it: such names as keys, numbers past every range, values of any type. */
export const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false, -1, 0, 0.5, 1e308, 2 ** 53, -0, Infinity),
    fc.integer(),
    name,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map(ownEntries),
  ),
})).value

/** An object with just these keys, `__proto__` too, as `JSON.parse` makes it. */
export function ownEntries(entries: readonly (readonly [string, unknown])[]): object {
  const made = {}
  for (const [key, value] of entries) {
    const descriptor = { value, enumerable: true, configurable: true, writable: true }
    Object.defineProperty(made, key, descriptor)
  }
  return made
}

/** Arrays in arrays, deeper than the stack of JavaScript reaches. */
export function nested(depth: number): unknown {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown
}

/** What is thrown, if anything; functions of the store are called as a program without types does. */
export function thrownBy(work: () => unknown): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}

/** What a promise is rejected with, if it is. */
export function failureOf(work: () => Promise<unknown>): Promise<unknown> {
  return work().then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** All that composables return, as a template reads it. */
export function shownOf(...views: object[]): unknown[] {
  return views.flatMap((view) => Object.values(view) as unknown[]).map((each) => unref(each))
}
