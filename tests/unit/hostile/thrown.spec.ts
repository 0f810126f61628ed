import type { StandardSchemaV1 } from '@standard-schema/spec'
import { PgflowError } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { toPgflowError } from '../../../src/errors.ts'
import { validate } from '../../../src/flow-schemas.ts'
import { createEnvironment } from '../../../src/testing/environment.ts'
import { failureOf } from './support/hostile.ts'

const boom = (): never => {
  throw new Error('no text for you')
}
const bare: unknown = Object.create(null)
const spoilt = new Error('x')
Object.defineProperty(spoilt, 'message', { get: boom })
const revoked = Proxy.revocable({}, {})
revoked.revoke()

/** What a program may throw, and nobody can write out. */
const thrown: [what: string, value: unknown][] = [
  ['an object without a prototype', Object.create(null)],
  ['an object whose toString throws', { toString: boom }],
  ['an object whose toString returns an object', { toString: () => ({}), valueOf: () => ({}) }],
  ['an object whose toPrimitive throws', { [Symbol.toPrimitive]: boom }],
  ['an error whose message throws', spoilt],
  ['an error whose message is an object', Object.assign(new Error(), { message: bare })],
  ['a proxy that is revoked', revoked.proxy],
  ['a symbol', Symbol('s')],
  ['undefined', undefined],
]

describe.each(thrown)('%s that is thrown', (_what, value) => {
  it('is an error of this library, which holds it', () => {
    const error = toPgflowError(value)
    expect(error).toBeInstanceOf(PgflowError)
    expect(error.code).toBe('server_error')
    expect(typeof error.message).toBe('string')
    expect(error.message).not.toBe('')
    expect(error.cause === value).toBe(true)
  })

  const schema = (fail: () => unknown): StandardSchemaV1 => ({
    '~standard': { version: 1, vendor: 'test', validate: fail as never },
  })
  it.each([
    ['at once', () => throwIt(value)],
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    ['later', () => Promise.reject(value)],
  ])('by a schema names the path: %s', async (_when, fail) => {
    for (const isSecret of [false, true]) {
      const subject = { name: 'The input', code: 'invalid_input', isSecret } as const
      const error = await failureOf(() =>
        Promise.resolve().then(() => validate(schema(fail), 1, subject)),
      )
      expect(error).toMatchObject({
        code: 'invalid_input',
        message: expect.stringMatching(/^The input could not be checked: ./) as string,
      })
    }
  })
})

function throwIt(value: unknown): never {
  throw value
}

it('a schema that names a place by what cannot be written fails by an error of this library', () => {
  const schema: StandardSchemaV1 = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => ({ issues: [{ message: 'wrong', path: [{ key: bare as string }] }] }),
    },
  }
  expect(() => validate(schema, 1, { name: 'The input', code: 'invalid_input' })).toThrow(
    expect.objectContaining({ code: 'invalid_input' }),
  )
})

it('a database in a test fails with what it was made to throw', async () => {
  const { faults } = createEnvironment({ flows: { f: { a: {} } } })
  const { signal } = new AbortController()
  const error = await failureOf(() =>
    faults.request('read', signal, () => throwIt({ toString: boom })),
  )
  expect(error).toBeInstanceOf(Error)
})
