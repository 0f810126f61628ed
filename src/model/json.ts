import { PgflowError } from '../errors.ts'
import type { Json } from './entities.ts'

/**
 * The input of a run as the database will see it, and a copy that no form can change any more.
 * @throws PgflowError `invalid_input` for what JSON cannot hold.
 */
export function toJson(input: Json): Json {
  try {
    const text: string | undefined = JSON.stringify(input)
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- undefined, functions
    if (text === undefined) throw new TypeError('undefined is not JSON')
    return JSON.parse(text) as Json
  } catch (cause) {
    throw new PgflowError('invalid_input', 'The input cannot be written as JSON.', {
      hint: 'Pass plain objects, arrays, texts, numbers, booleans or null.',
      cause,
    })
  }
}
