import fc from 'fast-check'
import { PgflowError, usePgflowStore, useRun, useRuns } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { mountApp } from '../../support/app.ts'
import { answeredId as id, connectTo, outcomes } from './support/answers.ts'
import { failureOf, json, name, ownEntries } from './support/hostile.ts'

const time = '2026-11-28T00:00:00+00:00'

const snapshot = () => ({
  run: { run_id: id, flow_slug: 'greet', status: 'started', input: {}, started_at: time },
  steps: [{ run_id: id, step_slug: 'hello', step_index: 0, status: 'created' }],
  seq: 1,
})

/** A good answer in which something is replaced by whatever a stranger writes. */
const spoilt = fc
  .tuple(
    fc.constantFrom('run', 'steps', 'seq', 'run.run_id', 'run.status', 'run.input', 'steps.0'),
    json,
    fc.array(fc.tuple(name, json), { maxLength: 2 }),
  )
  .map(([path, value, others]) => {
    const row: object = snapshot()
    const keys = path.split('.')
    const last = keys.pop() ?? ''
    const parent = keys.reduce<object>((part, key) => Reflect.get(part, key) as object, row)
    Reflect.set(parent, last, value)
    return JSON.stringify([ownEntries([...others, ...Object.entries(row)])])
  })

const body = fc.oneof(
  spoilt,
  json.map((value) => JSON.stringify(value)),
  fc.constantFrom(
    '',
    'null',
    '[]',
    '{}',
    '5',
    '"text"',
    '<html><body>Bad gateway</body></html>',
    '[{',
  ),
  fc
    .record({ code: name, message: json, hint: json, details: json }, { requiredKeys: [] })
    .map((error) => JSON.stringify(error)),
)

describe('whatever a server returns', () => {
  it('a call fails with an error of this library, with a hint, or returns what it promises', async () => {
    const status = fc.constantFrom(200, 200, 200, 201, 204, 400, 401, 404, 406, 409, 422, 500, 520)
    await fc.assert(
      fc.asyncProperty(status, body, async (code, text) => {
        const { failures, state } = await outcomes(() => ({ status: code, body: text }))
        for (const failure of failures) {
          if (failure === undefined) continue
          expect(failure).toBeInstanceOf(PgflowError)
          expect(failure).toMatchObject({ hint: expect.stringMatching(/./) as string })
          expect(failure).toMatchObject({ message: expect.stringMatching(/./) as string })
        }
        for (const key of Object.keys(state.runs)) expect(state.runs[key]?.run_id).toBe(key)
      }),
      { numRuns: 200 },
    )
  })

  it.each([
    ['steps of another run', { steps: [{ ...snapshot().steps[0], run_id: crypto.randomUUID() }] }],
    ['a step twice', { steps: [...snapshot().steps, ...snapshot().steps] }],
    ['a seq below 0', { seq: -1 }],
    ['a seq that no double tells from the next', { seq: 2 ** 53 }],
    ['a seq that is no whole number', { seq: 1.5 }],
    ['a run that was not asked for', { run: { ...snapshot().run, run_id: crypto.randomUUID() } }],
    ['a run whose id is none', { run: { ...snapshot().run, run_id: '__proto__' } }],
    ['a count below 0', { run: { ...snapshot().run, remaining_steps: -1 } }],
  ])('%s is malformed_reply', async (_, change) => {
    const row = { ...snapshot(), ...change }
    const { failures, state } = await outcomes(() => ({ status: 200, body: JSON.stringify([row]) }))
    expect(failures[0]).toMatchObject({ code: 'malformed_reply' })
    expect(state.runs).toEqual({})
  })

  it.each(['pgflow_client', 'pgflow'] as const)(
    'another run than the one that was started, or read, is malformed_reply: %s',
    async (schema) => {
      const { run, seq } = snapshot()
      const row = { run: { ...run, run_id: crypto.randomUUID() }, steps: [], seq }
      const body = JSON.stringify(schema === 'pgflow' ? row : [row])
      const { failures, state } = await outcomes(() => ({ status: 200, body }), schema)
      expect(failures[0]).toMatchObject({ code: 'malformed_reply' })
      expect(failures[3]).toMatchObject({ code: 'malformed_reply' })
      expect(state.runs).toEqual({})
    },
  )

  it('the same run twice is malformed_reply, in a response and in a list', async () => {
    const { input: _, ...run } = snapshot().run
    const listed = { run, seq: 1, cursor: 'c' }
    const { failures } = await outcomes((path) => {
      const row = path.endsWith('list_runs') ? listed : snapshot()
      return { status: 200, body: JSON.stringify([row, row]) }
    })
    expect(failures[0]).toMatchObject({ code: 'malformed_reply' })
    expect(failures[1]).toMatchObject({ code: 'malformed_reply' })
  })

  it.each([
    ['of another flow', [{ flow_slug: 'other', steps: [] }]],
    ['more than one', ['greet', 'greet'].map((flow_slug) => ({ flow_slug, steps: [] }))],
  ])('a shape %s is malformed_reply', async (_, rows) => {
    const { failures, state } = await outcomes(() => ({ status: 200, body: JSON.stringify(rows) }))
    expect(failures[2]).toMatchObject({ code: 'malformed_reply' })
    expect(Object.values(state.flows)).toEqual([])
  })

  it('an invalid value is not shown in the message', async () => {
    const row = { ...snapshot(), steps: 'a secret' }
    const { failures } = await outcomes(() => ({ status: 200, body: JSON.stringify([row]) }))
    expect(failures[0]).toMatchObject({ code: 'malformed_reply' })
    expect((failures[0] as Error).message).toContain('steps')
    expect((failures[0] as Error).message).not.toContain('secret')
  })

  it('a run nested deeper than the stack reaches is shown, and read again without a change', async () => {
    const deep = '['.repeat(9_000) + ']'.repeat(9_000)
    const text = JSON.stringify([snapshot()]).replace('"input":{}', `"input":${deep}`)
    const { store, wrapper } = mountApp(
      connectTo(() => ({ status: 200, body: text })),
      () => usePgflowStore(),
      { ssr: true },
    )
    await store.refreshRun(id)
    const input = store.runById(id)?.input
    await store.refreshRun(id)
    expect(Array.isArray(input)).toBe(true)
    expect(store.runById(id)?.input).toBe(input)
    wrapper.unmount()
  })
})

/** Codes that can come from Postgres and PostgREST, and what they mean to an app. */
const meanings: [code: string, status: number, meaning: string][] = [
  ['22P05', 400, 'invalid_input'],
  ['22P02', 400, 'invalid_input'],
  ['22021', 400, 'invalid_input'],
  ['22003', 400, 'invalid_input'],
  ['54000', 500, 'too_large'],
  ['54001', 500, 'too_large'],
  ['57014', 500, 'timeout'],
  ['57P01', 503, 'unreachable'],
  ['57P03', 503, 'unreachable'],
  ['08006', 503, 'unreachable'],
  ['53300', 503, 'server_busy'],
  ['53200', 503, 'server_busy'],
  ['40001', 500, 'server_busy'],
  ['40P01', 500, 'server_busy'],
  ['55P03', 500, 'server_busy'],
  ['28P01', 403, 'unauthorized'],
  ['42501', 403, 'not_granted'],
  ['42883', 404, 'not_migrated'],
  ['42P01', 404, 'not_migrated'],
  ['3F000', 404, 'not_migrated'],
  ['25006', 405, 'server_error'],
  ['P0001', 400, 'server_error'],
  ['XX000', 500, 'server_error'],
  ['PT404', 404, 'flow_not_found'],
  ['PT403', 403, 'flow_not_allowed'],
  ['PT401', 401, 'not_signed_in'],
  ['PT409', 409, 'run_conflict'],
  ['PT422', 422, 'invalid_input'],
  ['PGRST000', 503, 'unreachable'],
  ['PGRST001', 503, 'unreachable'],
  ['PGRST002', 503, 'unreachable'],
  ['PGRST003', 504, 'server_busy'],
  ['PGRST100', 400, 'invalid_input'],
  ['PGRST102', 400, 'invalid_input'],
  ['PGRST103', 416, 'invalid_input'],
  ['PGRST106', 406, 'schema_not_exposed'],
  ['PGRST202', 404, 'not_migrated'],
  ['PGRST203', 300, 'not_migrated'],
  ['PGRST205', 404, 'not_migrated'],
  ['PGRST300', 500, 'unauthorized'],
  ['PGRST301', 401, 'unauthorized'],
  ['PGRST302', 401, 'unauthorized'],
  ['PGRST303', 401, 'unauthorized'],
  ['constructor', 500, 'unreachable'],
  ['P0001', 401, 'unauthorized'],
  ['XX000', 503, 'unreachable'],
  ['PGRSTX00', 500, 'server_error'],
  ['__proto__', 401, 'unauthorized'],
]

describe('an error of the database', () => {
  it.each(meanings)('%s means, with status %i, %s', async (code, status, meaning) => {
    const error = { code, message: 'what Postgres says', hint: null, details: null }
    const { failures } = await outcomes(() => ({ status, body: JSON.stringify(error) }))
    expect(failures[0]).toMatchObject({
      code: meaning,
      hint: expect.stringMatching(/.{8}/) as string,
    })
  })

  it('keeps the hint that the SQL gives', async () => {
    const error = { code: 'PT404', message: 'There is no flow.', hint: 'Look it up.' }
    const { failures } = await outcomes(() => ({ status: 404, body: JSON.stringify(error) }))
    expect(failures[0]).toMatchObject({ message: 'There is no flow.', hint: 'Look it up.' })
  })
})

it('two queries that differ are two lists, whatever they are narrowed to', () => {
  const { result, lists, wrapper } = mountApp(
    connectTo(() => ({ status: 200, body: '[]' })),
    () => [useRuns(), useRuns({ flow: '*' }), useRuns({ flow: '*/*' }), useRuns({ status: '*' })],
    { maxChannels: 0 },
  )
  expect(result).toHaveLength(4)
  expect(Object.keys(lists.lists)).toHaveLength(4)
  wrapper.unmount()
})

it('a query from an address bar that cannot be shows why, and throws in no render', async () => {
  const { result, lists, wrapper } = mountApp(
    connectTo(() => ({ status: 200, body: '[]' })),
    () => ({ list: useRuns(() => ({ pageSize: Number('abc') })), run: useRun(null) }),
    { maxChannels: 0 },
  )
  const { list } = result
  expect(list.runs.value).toEqual([])
  expect(list.connection.value.status).toBe('closed')
  expect(list.error.value?.code).toBe('invalid_options')
  expect(await failureOf(() => list.ready)).toMatchObject({ code: 'invalid_options' })
  expect(await failureOf(list.refresh)).toMatchObject({ code: 'invalid_options' })
  expect(lists.runsOf({ pageSize: -1 })).toEqual([])
  expect(lists.lists).toEqual({})
  wrapper.unmount()
})
