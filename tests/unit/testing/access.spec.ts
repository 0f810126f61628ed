import { flowSchemas, useFlow, usePgflowStore, useRun } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../../../src/testing/request-faults.ts'
import { createEnvironment } from '../../../src/testing/environment.ts'
import { mountIn } from '../../support/app.ts'
import { codeOf } from '../../support/code-of.ts'

const flows = { f: { a: {} }, each: { all: { type: 'map' } } } as const

describe('a start that the database refuses', () => {
  it.each([
    ['flow_not_found', 'nowhere', {}],
    ['flow_not_allowed', 'f', {}],
    ['invalid_input', 'each', {}],
    ['invalid_input', 'each', null],
  ])('%s', async (code, flow, input) => {
    const pgflow = createTestPgflow({ flows })
    pgflow.disallowStart('f')
    const { store } = mountIn(pgflow, () => usePgflowStore())
    expect(await codeOf(store.startFlow(flow, input))).toBe(code)
    expect(pgflow.runs).toEqual([])
    pgflow.allowStart('f')
    expect(await codeOf(store.startFlow('f', {}))).toBe('none')
  })

  it('run_conflict, unless it is the same start again', async () => {
    const pgflow = createTestPgflow({ flows })
    const { store } = mountIn(pgflow, () => usePgflowStore())
    const runId = crypto.randomUUID()
    await store.startFlow('f', { a: 1, b: 2 }, { runId })
    expect(await codeOf(store.startFlow('f', { b: 2, a: 1 }, { runId }))).toBe('none')
    expect(await codeOf(store.startFlow('f', { b: 3 }, { runId }))).toBe('run_conflict')
    expect(await codeOf(store.startFlow('each', [], { runId }))).toBe('run_conflict')
    expect(pgflow.runs).toHaveLength(1)
  })

  it('as the schema of its input does', async () => {
    const refusing = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: () => ({ issues: [{ message: 'No text.' }] }),
      },
    }
    const pgflow = createTestPgflow({ flows, schemas: flowSchemas({ f: { input: refusing } }) })
    const { store } = mountIn(pgflow, () => usePgflowStore())
    expect(await codeOf(store.startFlow('f', {}))).toBe('invalid_input')
    expect(pgflow.requests).toEqual([])
  })
})

describe('private runs', () => {
  it('are for who started them', async () => {
    const pgflow = createTestPgflow({ flows, private: true, user: 'ada', onError: () => {} })
    const theirs = pgflow.seedRun('f', {}, { user: 'bob' })
    const { result, store } = mountIn(pgflow, () => ({
      flow: useFlow('f'),
      run: useRun(theirs.id),
    }))
    await result.flow.startAsync({})
    await pgflow.settled()
    expect(result.flow.connection.value.status).toBe('live')
    expect(result.run.error.value?.code).toBe('run_not_found')
    expect(await codeOf(store.startFlow('f', {}, { runId: theirs.id }))).toBe('run_conflict')
    await pgflow.latestRun().complete('a', 1)
    expect(result.flow.run.value?.output).toEqual({ a: 1 })
  })

  it('need somebody who is signed in', async () => {
    const pgflow = createTestPgflow({ flows, private: true, user: null })
    const { store } = mountIn(pgflow, () => usePgflowStore())
    expect(await codeOf(store.startFlow('f', {}))).toBe('not_signed_in')
    await pgflow.signIn('ada')
    expect(await codeOf(store.startFlow('f', {}))).toBe('none')
  })

  it('leave the store of who has signed out, and are followed again by who is back', async () => {
    const pgflow = createTestPgflow({ flows, private: true, onError: () => {} })
    const { result: flow } = mountIn(pgflow, () => useFlow('f'))
    await flow.startAsync({})
    await pgflow.settled()
    await pgflow.signOut()
    expect(flow.run.value).toBeNull()
    expect(flow.connection.value).toMatchObject({
      status: 'closed',
      error: { code: 'run_not_found' },
    })
    await pgflow.signIn('test-user')
    await pgflow.settled()
    expect(flow.run.value?.status).toBe('started')
    expect(flow.connection.value.status).toBe('live')
  })
})

describe('lists and the feed of a user, as the transport has them', () => {
  const signal = new AbortController().signal
  const page = { flow: null, status: null }

  it('pages hold the runs of who is signed in, newest first', async () => {
    const { transport, database, session } = createEnvironment({ flows })
    const start = (user: string) =>
      database.startFlow('f', {}, crypto.randomUUID(), user).run.run_id
    const ids = ['test-user', 'bob', 'test-user', 'test-user'].map(start)
    const first = await transport.listRuns(page, null, 2, signal)
    expect(first.runs.map(({ run_id }) => run_id)).toEqual([ids[3], ids[2]])
    const second = await transport.listRuns(page, first.cursor, 2, signal)
    expect(second.runs.map(({ run_id }) => run_id)).toEqual([ids[0]])
    expect(second.cursor).toBeNull()
    expect((await transport.listRuns({ ...page, flow: 'each' }, null, 2, signal)).runs).toEqual([])
    expect((await transport.listRuns({ ...page, status: 'failed' }, null, 2, signal)).runs).toEqual(
      [],
    )
    session.become(null)
    expect(await codeOf(transport.listRuns(page, null, 2, signal))).toBe('not_signed_in')
  })

  it('seqs are those of the runs that the caller may read, and fail as requests do', async () => {
    const { transport, database, faults, requests } = createEnvironment({ flows, private: true })
    const start = (user: string) => database.startFlow('f', {}, crypto.randomUUID(), user)
    const [mine, theirs] = [start('test-user'), start('bob')].map(({ run }) => run.run_id)
    const ids = [mine ?? '', theirs ?? '', 'no id']
    const fetchSeqs = () => transport.fetchSeqs?.(ids, signal) ?? Promise.reject(new Error('none'))
    const runs = await transport.fetchRuns([ids[0] ?? ''], signal)
    const seqs = await fetchSeqs()
    expect([...seqs.keys()]).toEqual([mine])
    expect(runs.get(ids[0] ?? '')).toHaveProperty('seq', seqs.get(ids[0] ?? ''))
    expect(requests.map(({ kind }) => kind)).toEqual(['read', 'seqs'])
    faults.plan('seqs', { kind: 'fail', error: failureOf('unreachable', 'The test says so.') })
    await transport.fetchRuns(ids, signal)
    expect(await codeOf(fetchSeqs())).toBe('unreachable')
    expect(await codeOf(fetchSeqs())).toBe('none')
  })

  it('an outdated replica has the seqs that its next snapshots have', async () => {
    const { transport, database, faults } = createEnvironment({ flows })
    const record = database.startFlow('f', {}, crypto.randomUUID(), null)
    const { run_id } = record.run
    const seq = async () => (await transport.fetchSeqs?.([run_id], signal))?.get(run_id)
    const before = await seq()
    const [step] = record.flow.steps
    if (step) record.completeTask(step, 0, 1)
    faults.planOutdated(1, 1)
    expect(await seq()).toBe(before)
    expect((await transport.fetchRuns([run_id], signal)).get(run_id)).toHaveProperty('seq', before)
    expect(await seq()).toBeGreaterThan(before ?? Infinity)
  })

  it('shapes are those of the flows', async () => {
    const { transport } = createEnvironment({
      flows: { g: { b: { deps: ['a'], type: 'map' }, a: {} } },
    })
    expect(await transport.fetchFlow('g', signal)).toEqual({
      flow_slug: 'g',
      steps: [
        { step_slug: 'a', step_type: 'single', deps: [] },
        { step_slug: 'b', step_type: 'map', deps: ['a'] },
      ],
    })
    expect(await codeOf(transport.fetchFlow('h', signal))).toBe('flow_not_found')
  })

  it('the feed has the events of runs alone, and there is none without private runs', async () => {
    expect(createEnvironment({ flows }).transport.openFeed).toBeNull()
    const { transport, database, session, time } = createEnvironment({ flows, private: true })
    const heard: string[] = []
    let changes = 0
    const stop = transport.watchSession(() => (changes += 1))
    const channel = transport.openFeed?.({
      onEvent: ({ type, run_id }) => heard.push(`${type} ${run_id}`),
      onJoined: () => heard.push('joined'),
      onDown: ({ code }) => heard.push(code),
      onMalformed: ({ message }) => heard.push(message),
    })
    await time.settled()
    database.startFlow('f', {}, crypto.randomUUID(), 'bob')
    const record = database.startFlow('f', {}, crypto.randomUUID(), 'test-user')
    const [step] = record.flow.steps
    if (step) record.completeTask(step, 0, 1)
    await time.settled()
    expect(heard).toEqual([
      'joined',
      `run:started ${record.run.run_id}`,
      `run:completed ${record.run.run_id}`,
    ])
    session.become('bob')
    session.become('bob')
    expect(changes).toBe(1)
    stop()
    session.become(null)
    expect(changes).toBe(1)
    channel?.close()
  })
})
