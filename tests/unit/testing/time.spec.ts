import { useFlow, usePgflowStore, useRun, type Scheduler } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createEnvironment } from '../../../src/testing/environment.ts'
import { mountIn } from '../../support/app.ts'
import { codeOf } from '../../support/code-of.ts'

const flows = { f: { a: {}, b: { deps: ['a'] } } }

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe.each([
  ['real timers', () => {}],
  ['fake timers', () => void vi.useFakeTimers()],
  [
    'fake microtasks too',
    () => void vi.useFakeTimers({ toFake: ['setTimeout', 'queueMicrotask'] }),
  ],
  [
    'no MessageChannel, as some DOMs have none',
    () => void vi.stubGlobal('MessageChannel', undefined),
  ],
])('with %s', (_name, fake) => {
  it('a run is followed from start to end', async () => {
    fake()
    const pgflow = createTestPgflow({ flows })
    const { result: flow, wrapper } = mountIn(pgflow, () => useFlow('f'))
    void flow.startAsync({})
    await pgflow.settled()
    expect(flow.connection.value.status).toBe('live')
    await pgflow.latestRun().play()
    expect(flow.status.value).toBe('completed')
    expect(flow.connection.value.status).toBe('closed')
    wrapper.unmount()
  })

  it('what waits waits for advance()', async () => {
    fake()
    const pgflow = createTestPgflow({ flows, onError: () => {} })
    const { store } = mountIn(pgflow, () => usePgflowStore())
    const { run_id } = await store.startFlow('f', {})
    const waiting = codeOf(store.waitForRun(run_id, { timeout: 60_000 }))
    await pgflow.advance(59_999)
    let isOver = false
    void waiting.then(() => (isOver = true))
    await pgflow.settled()
    expect(isOver).toBe(false)
    await pgflow.advance(1)
    expect(await waiting).toBe('timeout')
  })
})

describe('the times of rows', () => {
  it('are those of the clock, fake or not, and no two are the same', async () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 31, 12) })
    const pgflow = createTestPgflow({ flows })
    const run = pgflow.seedRun('f', {})
    const { result } = mountIn(pgflow, () => useRun(run.id))
    await pgflow.settled()
    expect(result.run.value?.started_at).toBe('2026-01-31T12:00:00.000000+00:00')
    vi.setSystemTime(Date.UTC(2026, 0, 31, 12, 0, 5))
    await run.complete('a')
    await run.complete('b')
    expect(result.step('a')?.completed_at).toBe('2026-01-31T12:00:05.000000+00:00')
    expect(result.step('b')?.started_at).toBe('2026-01-31T12:00:05.000000+00:00')
    expect(result.step('b')?.completed_at).toBe('2026-01-31T12:00:05.000001+00:00')
  })
})

describe('time that passes by itself', () => {
  it('plays at its pace, for demos', async () => {
    const pgflow = createTestPgflow({ flows, realTime: true, autoPlay: { pace: 5 } })
    const { store, wrapper } = mountIn(pgflow, () => usePgflowStore())
    const { run_id } = await store.startFlow('f', {})
    expect(await store.waitForRun(run_id)).toMatchObject({ status: 'completed' })
    await pgflow.settled()
    expect(store.connections[run_id]?.status).toBe('closed')
    expect(await codeOf(pgflow.advance(1))).toBe('invalid_options')
    wrapper.unmount()
  })

  it('is that of the scheduler that is given', async () => {
    const waits: number[] = []
    const scheduler: Scheduler = {
      now: () => 0,
      random: () => 0.5,
      after(ms, task) {
        waits.push(ms)
        if (ms < 1_000) void Promise.resolve().then(task)
        return () => {}
      },
    }
    const pgflow = createTestPgflow({ flows, scheduler })
    const { result: flow } = mountIn(pgflow, () => useFlow('f'))
    void flow.startAsync({})
    await pgflow.latestRun().play()
    expect(flow.status.value).toBe('completed')
    expect(waits).toContain(10_000)
  })
})

describe('leaving', () => {
  it('leaves no channel, timer or listener', async () => {
    const world = createEnvironment({ flows, gcTime: 0 })
    const pgflow = { ...createTestPgflow({ flows }), install: world.install }
    const { result: flow, wrapper } = mountIn(pgflow, () => useFlow('f'))
    void flow.startAsync({})
    await world.time.settled()
    expect(world.channels.topics).toHaveLength(1)
    expect(world.pageActivity.watchers).toBe(1)
    wrapper.unmount()
    await world.time.settled()
    expect(world.channels.topics).toEqual([])
    expect(world.pageActivity.watchers).toBe(0)
    expect('pending' in world.time && world.time.pending).toBe(0)
  })

  it('ends what plays by itself', async () => {
    vi.useFakeTimers()
    const pgflow = createTestPgflow({ flows, realTime: true, autoPlay: { pace: 1_000 } })
    const { store, wrapper } = mountIn(pgflow, () => usePgflowStore())
    void store.startFlow('f', {})
    await vi.advanceTimersByTimeAsync(500)
    expect(vi.getTimerCount()).toBeGreaterThan(0)
    wrapper.unmount()
    expect(vi.getTimerCount()).toBe(0)
    expect(pgflow.latestRun().status).toBe('started')
  })
})
