import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend } from '../../playground/backend/index.ts'
import { bootBackend, connect } from '../support/backend.ts'

/** `maxRows` cuts what is made of rows, and never a value that happens to be an array. */
describe('a limit of rows', () => {
  let backend: Backend
  beforeAll(async () => {
    backend = await bootBackend([], { maxRows: 2, schemas: ['api', 'public'] })
    await backend.db.exec(`
      create schema api;
      grant usage on schema api to anon;
      create function api.rows() returns setof int language sql stable
        as 'select generate_series(1, 4)';
      create function api.value() returns jsonb language sql stable as $$ select '[1, 2, 3, 4]'::jsonb $$;
      create function public.rows() returns jsonb language sql stable as $$ select '[1, 2, 3, 4]'::jsonb $$;
      create function public.value() returns setof int language sql stable
        as 'select generate_series(1, 4)';
      create table public.many as select generate_series(1, 4) as n;
      grant select on public.many to anon;
      notify pgrst, 'reload schema';
    `)
  })
  afterAll(() => backend.close())

  const call = async (schema: string, name: string, get: boolean) => {
    const client = connect(backend)
    const answer = await client.schema(schema).rpc(name, {}, { get })
    return Array.isArray(answer.data) ? answer.data.length : undefined
  }

  it.each([true, false])(
    'finds the function in the schema that is asked for (get: %s)',
    async (get) => {
      expect(await call('api', 'rows', get)).toBe(2)
      expect(await call('api', 'value', get)).toBe(4)
      expect(await call('public', 'rows', get)).toBe(4)
      expect(await call('public', 'value', get)).toBe(2)
    },
  )

  it.each(['GET', 'POST'])('looks in the first exposed schema without one (%s)', async (method) => {
    const lengths = await Promise.all(
      ['rows', 'value'].map(async (name) => {
        const url = `${backend.url}/rest/v1/rpc/${name}`
        const answer = await fetch(url, { method, headers: { apikey: backend.anonKey } })
        return ((await answer.json()) as unknown[]).length
      }),
    )
    expect(lengths).toEqual([2, 4])
  })

  it('cuts the rows of a table', async () => {
    expect((await connect(backend).schema('public').from('many').select()).data).toHaveLength(2)
  })
})
