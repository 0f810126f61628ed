import { Flow } from '@pgflow/dsl'
import type { Json } from 'pinia-pgflow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend } from '../../playground/backend/index.ts'
import { bootBackend, connect } from '../support/backend.ts'

/** Any JSON is an argument or a column's value, as for PostgREST. */
describe('JSON that is no object, over REST', () => {
  const echo = new Flow<string>({ slug: 'echo_text' }).step({ slug: 'say' }, ({ run }) => run)
  let backend: Backend
  beforeAll(async () => {
    backend = await bootBackend([echo])
    await backend.db.exec(`
      create function public.echo(value jsonb, beside text default 'x') returns jsonb
        language sql as $$ select jsonb_build_array(value, beside) $$;
      create function public.echo_json(value json) returns text
        language sql as $$ select value::text $$;
      create function public.kind(value jsonb) returns text
        language sql as $$ select coalesce(jsonb_typeof(value), 'none') $$;
      create table public.papers (id int primary key, body jsonb, title text);
      grant select, insert, update on public.papers to anon;
      notify pgrst, 'reload schema';
    `)
  })
  afterAll(() => backend.close())

  const values: Json[] = [
    'text',
    '',
    '{"a":1}',
    '[1]',
    '5',
    'null',
    '"',
    'ä 😀',
    5,
    0.5,
    true,
    false,
    [],
    ['a'],
    [[1]],
    {},
  ]

  it.each(values.map((value) => ({ value })))('is an argument: $value', async ({ value }) => {
    const answer = await connect(backend).rpc('echo', { value, beside: '{"a":1}' })
    expect(answer).toMatchObject({ error: null, data: [value, '{"a":1}'] })
  })

  it.each(values.map((value) => ({ value })))(
    'is an argument of type json: $value',
    async ({ value }) => {
      const answer = await connect(backend).rpc('echo_json', { value })
      expect(answer).toMatchObject({ data: JSON.stringify(value) })
    },
  )

  it.each([
    ['lists', '['.repeat(50_000) + ']'.repeat(50_000)],
    ['objects', '{"a":'.repeat(5_000) + '1' + '}'.repeat(5_000)],
  ])('%s nested too deeply are refused as by the REST layer', async (_, value) => {
    const response = await fetch(`${backend.url}/rest/v1/rpc/echo`, {
      method: 'POST',
      headers: { apikey: backend.anonKey, 'content-type': 'application/json' },
      body: `{"value":${value}}`,
    })
    expect(await response.json()).toMatchObject({ code: 'SUP' })
  })

  it('null is no argument at all', async () => {
    expect((await connect(backend).rpc('kind', { value: null })).data).toBe('none')
  })

  it.each(values.map((value, id) => ({ value, id })))(
    'is a value of a column: $value',
    async ({ id, value }) => {
      const client = connect(backend)
      const row = { id, body: value, title: '{"a":1}' }
      const inserted = await client.from('papers').insert(row).select()
      expect(inserted).toMatchObject({ error: null, data: [row] })
      const updated = await client.from('papers').update({ body: value }).eq('id', id).select()
      expect(updated).toMatchObject({ error: null, data: [row] })
      const many = await client
        .from('papers')
        .insert([
          { id: id + 100, body: value },
          { id: id + 200, body: value },
        ])
        .select('body')
      expect(many.data).toEqual([{ body: value }, { body: value }])
    },
  )

  it('is the input of a flow', async () => {
    const client = connect(backend).schema('pgflow_client')
    const p_run_id = crypto.randomUUID()
    const start = { p_flow_slug: 'echo_text', p_input: 'to be said', p_run_id }
    const started = await client.rpc('start_flow_with_states', start)
    expect(started.error).toBeNull()
    await expect
      .poll(async () => (await client.rpc('get_run_with_states', { p_run_id })).data as unknown)
      .toMatchObject([{ run: { status: 'completed', output: { say: 'to be said' } } }])
  })
})
