import { PgflowError } from '../errors.ts'
import type { Json } from './entities.ts'

/**
 * The input of a run as the database will store it: a copy that later changes do not affect.
 * @throws PgflowError `invalid_input` for what JSON or Postgres cannot hold.
 */
export function toJson(input: Json): Json {
  const text = writeJson(input)
  const refused = findUnstorable(text)
  if (refused !== null) {
    throw new PgflowError('invalid_input', `The input holds ${refused}, which Postgres cannot.`)
  }
  return JSON.parse(text) as Json
}

function writeJson(input: Json): string {
  try {
    const text: string | undefined = JSON.stringify(input)
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- undefined, functions
    if (text === undefined) throw new TypeError('undefined is not JSON')
    return text
  } catch (cause) {
    if (cause instanceof RangeError) throw notSendable(cause)
    throw new PgflowError('invalid_input', 'The input cannot be written as JSON.', { cause })
  }
}

/** The JavaScript engine has too little stack or memory to write this input as text. */
export function notSendable(cause: unknown): PgflowError {
  return new PgflowError('invalid_input', 'The input is too large or nested too deeply to send.', {
    cause,
  })
}

/** Whether Postgres can store a text. */
export function isStorable(text: string): boolean {
  return findUnstorable(JSON.stringify(text)) === null
}

/**
 * What a JSON text contains that Postgres cannot store, if anything. Both cases are always written
 * as escapes; a backslash before the escape would itself be escaped.
 */
function findUnstorable(text: string): string | null {
  const found = /(?<!\\)(?:\\\\)*\\u(0000|d[89a-f])/.exec(text)?.[1]
  if (found === undefined) return null
  return found === '0000' ? 'a zero byte' : 'half a character (a lone surrogate)'
}

/**
 * Whether two JSON values are equal; the order of keys does not matter. Without recursion: Postgres
 * stores values nested deeper than the stack of JavaScript reaches.
 */
export function isSameJson(a: unknown, b: unknown): boolean {
  // Not Object.is, which takes -0 and 0 as different: JSON writes both the same.
  if (a === b) return true
  if (!isContainer(a) || !isContainer(b)) return false
  const pending: [object, object][] = [[a, b]]
  for (let pair = pending.pop(); pair; pair = pending.pop()) {
    const [left, right] = pair
    const keys = Object.keys(left)
    if (Array.isArray(left) !== Array.isArray(right)) return false
    if (keys.length !== Object.keys(right).length) return false
    for (const key of keys) {
      if (!Object.hasOwn(right, key)) return false
      const one: unknown = Reflect.get(left, key)
      const other: unknown = Reflect.get(right, key)
      if (one === other) continue
      if (!isContainer(one) || !isContainer(other)) return false
      pending.push([one, other])
    }
  }
  return true
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
