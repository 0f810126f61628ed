import { createPgflow, flowSchemas, type PgflowOptions } from 'pinia-pgflow'
import { expect, it } from 'vitest'
import { connect } from '../support/backend.ts'

const supabase = connect({ url: 'http://localhost', anonKey: 'key' })

/** What a program without TypeScript may pass, which its author takes for options. */
const mistaken: [what: string, options: object, message: string][] = [
  ['no client', {}, 'supabase is not what createClient returns.'],
  ['the address in place of the client', { supabase: 'http://localhost' }, 'supabase is not'],
  ['private runs with plain pgflow', { supabase, schema: 'pgflow', private: true }, 'Plain pgflow'],
  ['schemas without flowSchemas', { supabase, flows: { f: {} } }, 'flows is not what flowSchemas'],
]

it.each(mistaken)('%s is refused, by name', (_, options, message) => {
  expect(() => createPgflow(options as PgflowOptions)).toThrow(
    expect.objectContaining({
      code: 'invalid_options',
      message: expect.stringContaining(message) as string,
    }),
  )
})

it.each(['null', '"greet"', '1'])('flowSchemas(%s) is refused', (text) => {
  expect(() => flowSchemas(JSON.parse(text) as object)).toThrow(
    expect.objectContaining({ code: 'invalid_options' }),
  )
})
