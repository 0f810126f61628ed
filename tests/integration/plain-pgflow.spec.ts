import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import {
  createPgflow,
  PgflowError,
  useFlow,
  useRun,
  type Json,
  type PgflowOptions,
} from 'pinia-pgflow'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemScheduler } from '../../src/model/scheduler.ts'
import { createListTransport } from '../../src/transport/list-transport.ts'
import { createSupabaseTransport } from '../../src/transport/supabase-transport.ts'
import { mountApp } from '../support/app.ts'
import { bootBackend, connect, createGate, until, type Gate } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { fastScheduler } from '../support/fast-scheduler.ts'
import { bootPlainBackend, grants } from './support/plain-backend.ts'

/** Before the first step, and before the map step that comes later. */
let begin: Gate
let attempts = 0

const Words = new Flow<{ text: string }>({ slug: 'words', maxAttempts: 1 })
  .step({ slug: 'split' }, async ({ run }) => {
    await begin.wait()
    return run.text.split(' ')
  })
  .map({ slug: 'lengths', array: 'split' }, async (word) => {
    await fixture.gate.wait()
    return word.length
  })
  .step({ slug: 'first', dependsOn: ['split'] }, ({ split }) => split[0] ?? '')
  .step({ slug: 'sum', dependsOn: ['lengths', 'first'] }, ({ lengths, first }) => ({
    total: lengths.reduce((a, b) => a + b, 0),
    first,
  }))
const Broken = new Flow<{ text: string }>({ slug: 'broken', maxAttempts: 1 })
  .step({ slug: 'fine' }, async () => {
    await begin.wait()
    return 'fine'
  })
  .step({ slug: 'mill', dependsOn: ['fine'] }, (): string => {
    throw new Error('the mill is closed')
  })
const Retried = new Flow<{ text: string }>({ slug: 'retried', maxAttempts: 2, baseDelay: 1 }).step(
  { slug: 'shaky' },
  () => {
    attempts += 1
    if (attempts === 1) throw new Error('not yet')
    return attempts
  },
)
const Doubled = new Flow<number[]>({ slug: 'doubled' }).map({ slug: 'double' }, (n) => n * 2)

const fixture = useBackend([Words, Broken, Retried, Doubled], {
  boot: bootPlainBackend,
  isRecorded: true,
})

beforeEach(() => {
  begin = createGate()
})

afterEach(() => {
  begin.open()
  fixture.backend.realtime.faults.restoreReplication()
})

const mountPlain = <T>(setup: () => T, options: Omit<Partial<PgflowOptions>, 'supabase'> = {}) =>
  mountApp(fixture.supabase, setup, { schema: 'pgflow', ...options })
const mountWords = (options?: Parameters<typeof mountPlain>[1]) =>
  mountPlain(() => useFlow<typeof Words>('words'), options)

/** What a promise is rejected with; fails when it is not. */
async function failureOf(work: Promise<unknown>): Promise<PgflowError> {
  const error = await work.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof PgflowError) return error
  throw new Error('not a PgflowError', { cause: error })
}

async function startInDatabase(slug: string, input: Json): Promise<string> {
  const [row] = await fixture.backend.db.query<{ run_id: string }>(
    'select run_id from pgflow.start_flow($1, $2)',
    [slug, input],
  )
  if (!row) throw new Error('not started')
  return row.run_id
}

/** Resolves when the run has ended in the database, whatever a client knows of it. */
async function hasEnded(runId: string): Promise<void> {
  await vi.waitUntil(
    async () => {
      const [row] = await fixture.backend.db.query<{ status: string }>(
        'select status from pgflow.runs where run_id = $1',
        [runId],
      )
      return row?.status !== 'started'
    },
    { timeout: 15_000, interval: 20 },
  )
}

describe('a run on plain pgflow', () => {
  it('is started, followed live and shown with every output [F4]', async () => {
    const { result: flow, store, reported, wrapper } = mountWords()
    const { run_id: runId } = await flow.startAsync({ text: 'one three' })
    expect(flow.step('sum')).toMatchObject({ status: 'created', output: null })
    await until(() => flow.connection.value.status === 'live')
    begin.open()
    await until(() => flow.step('first')?.status === 'completed')
    expect(flow.step('first')?.output).toBe('one')
    expect(flow.step('lengths')).toMatchObject({ status: 'started', initial_tasks: 2 })
    fixture.gate.open()
    const run = await store.waitForRun(runId)
    expect(run).toMatchObject({
      status: 'completed',
      output: { sum: { total: 8, first: 'one' } },
      remaining_steps: 0,
      error_message: null,
    })
    expect(flow.steps.value.map((step) => [step.step_slug, step.status, step.output])).toEqual([
      ['first', 'completed', 'one'],
      ['lengths', 'completed', [3, 5]],
      ['split', 'completed', ['one', 'three']],
      ['sum', 'completed', { total: 8, first: 'one' }],
    ])
    expect(flow.progress.value.fraction).toBe(1)
    expect(store.connections[runId]).toMatchObject({ status: 'closed', seq: null })
    expect(fixture.supabase.getChannels()).toEqual([])
    expect(reported).toEqual([])
    // Its start, and a read after each join and after the end: none for its broadcasts.
    expect(fixture.recording.starts).toHaveLength(1)
    expect(fixture.recording.calls.length).toBeLessThanOrEqual(4)
    wrapper.unmount()
  })

  it('that fails has its error, and keeps the outputs of the steps before', async () => {
    const { result: flow, store, wrapper } = mountPlain(() => useFlow<typeof Broken>('broken'))
    const { run_id: runId } = await flow.startAsync({ text: '' })
    await until(() => flow.connection.value.status === 'live')
    begin.open()
    const error = await failureOf(store.waitForRun(runId))
    expect(error).toMatchObject({ code: 'run_failed', runId })
    expect(error.message).toContain('the mill is closed')
    expect(flow.run.value).toMatchObject({ status: 'failed', error_message: 'the mill is closed' })
    expect(flow.step('fine')).toMatchObject({ status: 'completed', output: 'fine' })
    expect(flow.step('mill')).toMatchObject({
      status: 'failed',
      error_message: 'the mill is closed',
      output: null,
    })
    wrapper.unmount()
    // Who comes later reads the same, but for the output that pgflow 0.8 does not tell.
    const later = mountPlain(() => useRun(runId))
    await later.result.ready
    expect(later.result.run.value?.error_message).toBe('the mill is closed')
    later.wrapper.unmount()
  })

  it('whose step is retried has not failed', async () => {
    attempts = 0
    const { result: flow, store, wrapper } = mountPlain(() => useFlow<typeof Retried>('retried'))
    const { run_id: runId } = await flow.startAsync({ text: '' })
    const { output } = await store.waitForRun(runId)
    expect(output).toEqual({ shaky: 2 })
    expect(flow.step('shaky')).toMatchObject({ status: 'completed', error_message: null })
    wrapper.unmount()
  })

  it('over an array maps it', async () => {
    const { result: flow, store, wrapper } = mountPlain(() => useFlow<typeof Doubled>('doubled'))
    const run = await flow.startAsync([1, 2, 3])
    const { output } = await store.waitForRun(run.run_id)
    expect(output).toEqual({ double: [2, 4, 6] })
    const empty = await flow.startAsync([])
    expect((await store.waitForRun(empty.run_id)).output).toEqual({ double: [] })
    expect(flow.step('double')).toMatchObject({ status: 'completed', output: [] })
    wrapper.unmount()
  })

  it('that is opened when it has ended shows what can still be known', async () => {
    begin.open()
    fixture.gate.open()
    const started = mountWords()
    const { run_id: runId } = await started.result.startAsync({ text: 'one three' })
    await started.store.waitForRun(runId)
    started.wrapper.unmount()
    const { result: view, wrapper } = mountPlain(() => useRun(runId))
    await view.ready
    expect(view.run.value?.output).toEqual({ sum: { total: 8, first: 'one' } })
    // That of the last step is part of the run's; pgflow 0.8 tells no other.
    expect(view.step('sum')?.output).toEqual({ total: 8, first: 'one' })
    expect(view.step('first')).toMatchObject({ status: 'completed', output: null })
    wrapper.unmount()
  })
})

describe('whatever is lost on the way', () => {
  it('while the connection is gone is caught up on when it is back', async () => {
    const { result: flow, wrapper } = mountWords()
    const { run_id: runId } = await flow.startAsync({ text: 'one three' })
    await until(() => flow.connection.value.status === 'live')
    begin.open()
    await until(() => flow.step('first')?.output === 'one')
    fixture.backend.realtime.faults.loseReplication()
    fixture.gate.open()
    await hasEnded(runId)
    expect(flow.status.value).toBe('started')
    fixture.backend.realtime.faults.restoreReplication()
    fixture.backend.realtime.faults.killSockets()
    await until(() => flow.connection.value.status === 'closed')
    expect(flow.step('first')?.output).toBe('one')
    expect(flow.step('sum')).toMatchObject({ status: 'completed', output: { total: 8 } })
    expect(flow.step('lengths')?.status).toBe('completed')
    wrapper.unmount()
  })

  it('without a trace is found by asking', async () => {
    const { result: flow, wrapper } = mountWords({
      scheduler: fastScheduler(30),
      startTimeout: 300_000,
      snapshotTimeout: 300_000,
    })
    await flow.startAsync({ text: 'one three' })
    await until(() => flow.connection.value.status === 'live')
    fixture.backend.realtime.faults.loseReplication()
    begin.open()
    fixture.gate.open()
    await until(() => flow.status.value === 'completed')
    expect(flow.run.value?.output).toEqual({ sum: { total: 8, first: 'one' } })
    wrapper.unmount()
  })

  it('except the end of the run is confirmed before the channel is left', async () => {
    const { result: flow, wrapper } = mountWords()
    await flow.startAsync({ text: 'one three' })
    await until(() => flow.connection.value.status === 'live')
    const restore = fixture.backend.realtime.faults.tamper((message, deliver) => {
      if (message.event === 'run:completed') deliver(message)
    })
    begin.open()
    fixture.gate.open()
    await until(() => flow.connection.value.status === 'closed')
    restore()
    expect(flow.steps.value.map(({ status }) => status)).toEqual(Array(4).fill('completed'))
    expect(flow.step('sum')?.output).toEqual({ total: 8, first: 'one' })
    wrapper.unmount()
  })

  it('a start whose reply is lost has started the run once', async () => {
    const answered = fetch
    let isFirst = true
    const lossy: typeof fetch = async (input, init) => {
      const answer = await answered(input, init)
      if (!isFirst) return answer
      isFirst = false
      throw new TypeError('fetch failed')
    }
    const own = connect(fixture.backend, lossy)
    const { result: flow, wrapper } = mountApp(own, () => useFlow<typeof Doubled>('doubled'), {
      schema: 'pgflow',
    })
    const { run_id: runId } = await flow.startAsync([7])
    expect(isFirst).toBe(false)
    const rows = await fixture.backend.db.query(
      `select run_id from pgflow.runs where flow_slug = 'doubled' and input = '[7]'`,
    )
    expect(rows).toEqual([{ run_id: runId }])
    wrapper.unmount()
    await own.removeAllChannels()
  })
})

describe('what plain pgflow refuses', () => {
  it.each<[string, string, Json, string]>([
    ['a flow that does not exist', 'nowhere', {}, 'flow_not_found'],
    ['input that the flow does not take', 'doubled', { not: 'an array' }, 'invalid_input'],
    ['null as input', 'words', null, 'invalid_input'],
    ['a text that Postgres cannot hold', 'words', { text: 'a\0b' }, 'invalid_input'],
  ])('%s', async (_, slug, input, code) => {
    const { result: flow, store, wrapper } = mountPlain(() => useFlow(slug))
    const error = await failureOf(flow.startAsync(input))
    expect(error).toMatchObject({ code, message: expect.stringMatching(/\w{3,}/) as string })
    expect(store.runs).toEqual({})
    wrapper.unmount()
  })

  it('a run id of another start, but not the same start again [C10]', async () => {
    begin.open()
    fixture.gate.open()
    const { result: flow, store, wrapper } = mountWords()
    const { run_id: runId } = await flow.startAsync({ text: 'one' })
    expect((await flow.startAsync({ text: 'one' }, { runId })).run_id).toBe(runId)
    const error = await failureOf(flow.startAsync({ text: 'two' }, { runId }))
    expect(error).toMatchObject({ code: 'run_conflict', runId })
    expect(error.message).toContain(runId)
    expect(store.runs[runId]?.input).toEqual({ text: 'one' })
    wrapper.unmount()
  })

  it('a run that does not exist, and the others are read all the same', async () => {
    const good = await startInDatabase('words', { text: 'one' })
    const bad = crypto.randomUUID()
    const { result, wrapper } = mountPlain(() => [useRun(good), useRun(bad), useRun('7')] as const)
    await until(() => result[0].connection.value.status === 'live')
    expect(result[1].error.value?.code).toBe('run_not_found')
    expect(result[2].error.value?.code).toBe('invalid_input')
    wrapper.unmount()
  })

  it('a run that cannot be read, and the others are read all the same', async () => {
    const [good, bad] = [
      await startInDatabase('words', { text: 'one' }),
      await startInDatabase('words', { text: 'two' }),
    ]
    fixture.recording.tamper = (reply) =>
      JSON.stringify(reply).includes(bad) ? { run: { run_id: bad }, steps: 'none' } : reply
    const { result, wrapper } = mountPlain(() => [useRun(good), useRun(bad)] as const)
    await until(() => result[0].connection.value.status === 'live')
    expect(result[1].error.value?.code).toBe('malformed_reply')
    wrapper.unmount()
  })

  it('private runs, of which it has none', () => {
    const create = () =>
      createPgflow({ supabase: fixture.supabase, schema: 'pgflow', private: true })
    expect(create).toThrow(PgflowError)
    expect(create).toThrow(expect.objectContaining({ code: 'invalid_options' }))
  })
})

describe('many runs', () => {
  it('are read one by one, ten at a time', async () => {
    const ids = await Promise.all(
      Array.from({ length: 25 }, (_, n) => startInDatabase('words', { text: `${n}` })),
    )
    let [open, most] = [0, 0]
    const counting: typeof fetch = async (input, init) => {
      most = Math.max(most, ++open)
      try {
        return await fetch(input, init)
      } finally {
        open -= 1
      }
    }
    const transport = transportOf(connect(fixture.backend, counting))
    const found = await transport.fetchRuns([...ids, ...ids], new AbortController().signal)
    expect([...found.keys()].sort()).toEqual([...ids].sort())
    expect(most).toBe(10)
  })
})

function transportOf(client: SupabaseClient) {
  const scheduler = systemScheduler()
  const connection = { supabase: client, scheduler, schema: 'pgflow', isPrivate: false } as const
  return { ...createSupabaseTransport(connection), ...createListTransport(connection) }
}

describe('lists and flows', () => {
  const { signal } = new AbortController()

  it('shapes of flows are read from the tables', async () => {
    const transport = transportOf(fixture.supabase)
    expect(await transport.fetchFlow('words', signal)).toEqual({
      flow_slug: 'words',
      steps: [
        { step_slug: 'split', step_type: 'single', deps: [] },
        { step_slug: 'lengths', step_type: 'map', deps: ['split'] },
        { step_slug: 'first', step_type: 'single', deps: ['split'] },
        { step_slug: 'sum', step_type: 'single', deps: ['first', 'lengths'] },
      ],
    })
    expect(await failureOf(transport.fetchFlow('nowhere', signal))).toMatchObject({
      code: 'flow_not_found',
    })
  })

  it('lists name the grant they need, and then come in pages without repeating or skipping', async () => {
    const transport = transportOf(fixture.supabase)
    const query = { flow: 'doubled', status: null }
    const refused = await failureOf(transport.listRuns(query, null, 2, signal))
    expect(refused.code).toBe('not_granted')
    expect(refused.hint).toContain('grant select on pgflow.runs to')

    // Neither input nor output is asked for.
    await fixture.backend.db.exec(`
      grant select (run_id, flow_slug, status, remaining_steps, started_at, completed_at, failed_at)
      on pgflow.runs to anon
    `)
    try {
      // All at one moment: only the id tells them apart.
      await fixture.backend.db.query(
        `select pgflow.start_flow('doubled', jsonb_build_array(n)) from generate_series(1, 5) as n`,
      )
      const expected = await fixture.backend.db.query<{ run_id: string }>(
        `select run_id from pgflow.runs where flow_slug = 'doubled'
         order by started_at desc, run_id desc`,
      )
      const listed: string[] = []
      let before: string | null = null
      do {
        const page = await transport.listRuns(query, before, 2, signal)
        listed.push(...page.runs.map((run) => run.run_id))
        for (const run of page.runs) expect(run).not.toHaveProperty('input')
        before = page.cursor
      } while (before !== null)
      expect(listed).toEqual(expected.map((row) => row.run_id))
      const failed = await transport.listRuns({ flow: null, status: 'failed' }, null, 100, signal)
      expect(new Set(failed.runs.map(({ status }) => status))).toEqual(new Set(['failed']))
      for (const [cursor, limit] of [
        ['),run_id.neq.x', 5],
        [null, 0],
        [null, 1000],
      ] as const) {
        const error = await failureOf(transport.listRuns(query, cursor, limit, signal))
        expect(error.code).toBe('invalid_input')
      }
    } finally {
      await fixture.backend.db.exec('revoke all on pgflow.runs from anon')
    }
  })
})

describe('a set-up that is not complete', () => {
  it('without grants reports which [C12]', async () => {
    await fixture.backend.db.exec('revoke usage on schema pgflow from anon')
    try {
      const { result: flow, wrapper } = mountWords()
      const error = await failureOf(flow.startAsync({ text: '' }))
      expect(error.code).toBe('not_granted')
      expect(error.hint).toMatch(
        /grant usage on schema pgflow to .*grant execute on function pgflow/,
      )
      wrapper.unmount()
    } finally {
      await fixture.backend.db.exec(grants)
    }
  })

  it('without the schema exposed, or without pgflow, fails with its own code', async () => {
    const hidden = await bootBackend([], { database: { level: 'pgflow' }, schemas: ['public'] })
    const one = mountApp(connect(hidden), () => useFlow('words'), { schema: 'pgflow' })
    expect(await failureOf(one.result.startAsync({}))).toMatchObject({
      code: 'schema_not_exposed',
      hint: expect.stringMatching(/\bpgflow\b/) as string,
    })
    one.wrapper.unmount()
    await hidden.db.exec('drop function pgflow.start_flow_with_states(text, jsonb, uuid)')
    await hidden.close()

    await fixture.backend.db.exec(
      'alter function pgflow.start_flow_with_states(text, jsonb, uuid) rename to away',
    )
    await fixture.backend.db.exec(`notify pgrst, 'reload schema'`)
    try {
      const { result: flow, wrapper } = mountWords()
      const error = await failureOf(flow.startAsync({ text: '' }))
      expect(error).toMatchObject({
        code: 'not_migrated',
        hint: expect.stringContaining('pgflow 0.4') as string,
      })
      wrapper.unmount()
    } finally {
      await fixture.backend.db.exec(
        'alter function pgflow.away(text, jsonb, uuid) rename to start_flow_with_states',
      )
      await fixture.backend.db.exec(`notify pgrst, 'reload schema'`)
    }
  })
})
