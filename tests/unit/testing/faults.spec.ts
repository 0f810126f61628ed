import { useFlow, usePgflowStatus, usePgflowStore, useRun, type TraceKind } from 'pinia-pgflow'
import { createTestPgflow, type TestPgflowOptions } from 'pinia-pgflow/testing'
import { describe, expect, it } from 'vitest'
import { mountIn } from '../../support/app.ts'
import { codeOf } from '../../support/code-of.ts'
import { countOf } from '../../support/traced.ts'

const flows = { f: { a: {}, b: { deps: ['a'] }, c: { deps: ['b'] } } }
const quiet = () => {}

/** A run that is followed live. */
async function following(options: Partial<TestPgflowOptions> = {}) {
  const pgflow = createTestPgflow({ flows, onError: quiet, ...options })
  const run = pgflow.seedRun('f', {})
  const app = mountIn(pgflow, () => ({ ...useRun(run.id), status: usePgflowStatus() }))
  await pgflow.settled()
  const connection = () => app.store.connections[run.id]
  const step = (slug: string) => app.store.stepOf(run.id, slug)?.status
  expect(connection()?.status).toBe('live')
  const traced = (kind: TraceKind) => countOf(pgflow.traced, kind, run.id)
  return { pgflow, run, ...app, connection, step, traced }
}

describe('without a network', () => {
  it('what is shown stays, reports that it may be old, and catches up', async () => {
    const { pgflow, run, connection, step, result } = await following()
    await pgflow.faults.goOffline()
    expect(connection()?.status).toBe('offline')
    await run.complete('a')
    expect(step('a')).toBe('started')
    expect(await codeOf(result.refresh())).toBe('offline')
    await pgflow.faults.goOnline()
    expect(connection()?.status).toBe('live')
    expect(step('a')).toBe('completed')
  })

  it('a start fails with a code that can be told to the user', async () => {
    const pgflow = createTestPgflow({ flows, startTimeout: 3_000, onError: quiet })
    const { result: flow } = mountIn(pgflow, () => useFlow('f'))
    await pgflow.faults.goOffline()
    const starting = codeOf(flow.startAsync({}))
    await pgflow.advance(3_000)
    expect(await starting).toBe('offline')
    expect(pgflow.runs).toEqual([])
    await pgflow.faults.goOnline()
    await flow.startAsync({})
    expect(flow.status.value).toBe('started')
  })

  it('a hidden page requests nothing', async () => {
    const { pgflow } = await following()
    await pgflow.faults.hidePage()
    const asked = pgflow.requests.length
    await pgflow.advance(300_000)
    expect(pgflow.requests).toHaveLength(asked)
    await pgflow.faults.showPage()
    expect(pgflow.requests.length).toBeGreaterThan(asked)
  })
})

describe('without Realtime', () => {
  it('a broken socket comes back after a second, and nothing is missing', async () => {
    const { pgflow, run, connection, step } = await following()
    await pgflow.faults.killSocket()
    expect(connection()).toMatchObject({ status: 'offline', error: { code: 'channel_failed' } })
    await run.complete('a')
    expect(step('a')).toBe('started')
    await pgflow.advance(1_000)
    expect(connection()).toMatchObject({ status: 'live', error: null })
    expect(step('a')).toBe('completed')
  })

  it('runs are polled while their channels are refused', async () => {
    const { pgflow, run, connection, result } = await following()
    await pgflow.faults.refuseChannels()
    expect(connection()?.error?.code).toBe('channel_refused')
    await run.play()
    await pgflow.advance(2_000)
    expect(connection()?.status).toBe('closed')
    expect(result.run.value?.status).toBe('completed')
  })

  it('channels that are let in again are joined at once', async () => {
    const { pgflow, connection, result } = await following()
    await pgflow.faults.refuseChannels('private_only')
    await pgflow.advance(2_000)
    expect(connection()).toMatchObject({ status: 'polling', error: { code: 'private_only' } })
    expect(result.status.value).toMatchObject({ status: 'polling', counts: { polling: 1 } })
    await pgflow.faults.allowChannels()
    expect(connection()?.status).toBe('live')
  })
})

describe('messages', () => {
  it('that are lost show as a gap, and are made up for', async () => {
    const { pgflow, run, connection, step, traced } = await following()
    pgflow.faults.dropMessages('b:completed')
    await run.complete('a')
    expect(traced('gap')).toBe(0)
    await run.complete('b')
    expect(step('b')).toBe('completed')
    expect(connection()?.status).toBe('live')
    expect(traced('gap')).toBe(1)
  })

  it('that are lost with nothing after them are missed until silence is not trusted', async () => {
    const { pgflow, run, step, traced } = await following()
    pgflow.faults.dropMessages(2)
    await run.complete('a')
    expect(step('a')).toBe('started')
    expect(traced('gap')).toBe(0)
    await pgflow.advance(15_000)
    expect(step('a')).toBe('completed')
  })

  it('that come twice change nothing the second time', async () => {
    const { pgflow, run, connection, traced } = await following()
    pgflow.faults.duplicateMessages(2)
    await run.complete('a')
    expect(connection()?.status).toBe('live')
    expect([traced('event'), traced('stale'), traced('gap')]).toEqual([2, 2, 0])
  })

  it('that come late are overtaken', async () => {
    const { pgflow, run, step, traced } = await following()
    pgflow.faults.delayMessages(5_000, 2)
    await run.complete('a')
    expect(step('a')).toBe('started')
    await run.complete('b')
    expect([step('a'), step('b'), step('c')]).toEqual(['completed', 'completed', 'started'])
    expect(traced('gap')).toBe(1)
    const stale = traced('stale')
    await pgflow.advance(5_000)
    expect(traced('stale')).toBe(stale + 2)
    expect(step('b')).toBe('completed')
  })

  it('that change places lead to the same', async () => {
    const { pgflow, run, step, traced } = await following()
    pgflow.faults.reorderMessages()
    await run.complete('a')
    expect([step('a'), step('b')]).toEqual(['completed', 'started'])
    expect(traced('gap')).toBe(1)
  })

  it('that are spoilt are reported and made up for', async () => {
    const { pgflow, run, step } = await following()
    pgflow.faults.malformMessages()
    await run.complete('a')
    expect(pgflow.reported.map(({ code }) => code)).toEqual(['malformed_message'])
    expect(step('a')).toBe('completed')
  })

  it('wait while they are paused', async () => {
    const { pgflow, run, step } = await following()
    pgflow.faults.pauseMessages()
    await run.complete('a')
    expect(step('a')).toBe('started')
    await pgflow.faults.resumeMessages()
    expect(step('a')).toBe('completed')
  })

  it('that are too large are made up for', async () => {
    const { run, connection, result, traced } = await following({ maxPayloadBytes: 500 })
    await run.complete('a', 'x'.repeat(500))
    expect(result.step('a')?.output).toHaveLength(500)
    expect(connection()?.status).toBe('live')
    expect(traced('gap')).toBe(0)
  })
})

describe('requests', () => {
  it('that fail with a code tell it', async () => {
    const pgflow = createTestPgflow({ flows })
    const { result: flow } = mountIn(pgflow, () => useFlow('f'))
    pgflow.faults.failRequest('unauthorized')
    expect(await codeOf(flow.startAsync({}))).toBe('unauthorized')
    expect(flow.error.value?.code).toBe('unauthorized')
    expect(pgflow.runs).toEqual([])
    await flow.startAsync({})
    expect(flow.error.value).toBeNull()
  })

  it('whose response is lost are repeated, and the run is started once', async () => {
    const pgflow = createTestPgflow({ flows, onError: quiet })
    const { result: flow } = mountIn(pgflow, () => useFlow('f'))
    pgflow.faults.loseReply('start')
    const starting = flow.startAsync({})
    await pgflow.settled()
    expect(flow.isPending.value).toBe(true)
    expect(pgflow.runs).toHaveLength(1)
    await pgflow.advance(1_000)
    await starting
    expect(pgflow.requests.filter(({ kind }) => kind === 'start')).toHaveLength(2)
    expect(pgflow.runs).toHaveLength(1)
  })

  it('that hang are waited for, until they are released', async () => {
    const pgflow = createTestPgflow({ flows })
    const { result: flow } = mountIn(pgflow, () => useFlow('f'))
    const release = pgflow.faults.hangRequest('start')
    void flow.startAsync({})
    await pgflow.settled()
    expect([flow.isPending.value, flow.status.value]).toEqual([true, 'pending'])
    await release()
    expect([flow.isPending.value, flow.status.value]).toEqual([false, 'started'])
  })

  it('that hang for ever time out', async () => {
    const pgflow = createTestPgflow({ flows })
    const { result: flow } = mountIn(pgflow, () => useFlow('f'))
    pgflow.faults.hangRequest('start')
    const starting = codeOf(flow.startAsync({}))
    await pgflow.advance(10_000)
    expect(await starting).toBe('timeout')
  })

  it('of one kind are not of another', async () => {
    const { pgflow, run, result, store } = await following()
    pgflow.faults.failRequest('unauthorized', 'read')
    expect(await codeOf(store.startFlow('f', {}))).toBe('none')
    expect(await codeOf(result.refresh())).toBe('unauthorized')
    expect(run.status).toBe('started')
  })

  it('that an outdated replica responds take nothing back', async () => {
    const { pgflow, run, step, result, traced } = await following()
    await run.complete('a')
    pgflow.faults.serveOutdated()
    await result.refresh()
    expect(step('a')).toBe('completed')
    expect(traced('stale')).toBe(1)
    await result.refresh()
    expect(traced('stale')).toBe(1)
  })
})

it('clear() ends every fault, also what is only planned', async () => {
  const { pgflow, run, step, connection, traced } = await following()
  const { faults } = pgflow
  faults.dropMessages(9)
  faults.pauseMessages()
  faults.failRequest('unreachable')
  await faults.refuseChannels()
  await faults.goOffline()
  await faults.clear()
  expect(connection()?.status).toBe('live')
  await run.complete('a')
  expect(step('a')).toBe('completed')
  expect(traced('gap')).toBe(0)
})

it('a run that nobody works on is reported to be stalled', async () => {
  const { pgflow, connection } = await following()
  await pgflow.advance(180_000)
  expect(connection()?.stalled).toBe(true)
})

it('many runs are read at once after a lost connection', async () => {
  const pgflow = createTestPgflow({ flows, onError: quiet })
  const runs = Array.from({ length: 50 }, () => pgflow.seedRun('f', {}))
  const { store } = mountIn(pgflow, () => {
    const store = usePgflowStore()
    for (const { id } of runs) store.observeRun(id)
    return store
  })
  await pgflow.settled()
  const asked = pgflow.requests.length
  await pgflow.faults.killSocket()
  await pgflow.advance(1_000)
  expect(pgflow.requests.slice(asked).map(({ runIds }) => runIds.length)).toEqual([50])
  expect(runs.every(({ id }) => store.connections[id]?.status === 'live')).toBe(true)
})
