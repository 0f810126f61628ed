import * as panel from '../support/panel.ts'
import { useRun, useRuns } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { afterEach, expect, it, onTestFinished, vi } from 'vitest'
import { Joins } from '../../../../src/devtools/joins.ts'
import { mountIn } from '../../../support/app.ts'

vi.mock('@vue/devtools-api', () => import('@vue/devtools-kit'))

const runId = '00000000-0000-4000-8000-000000000001'
const flows = { report: { list: {}, sum: { deps: ['list'] } } }

async function showRun(trace = vi.fn()) {
  const pgflow = createTestPgflow({ flows, trace })
  pgflow.seedRun('report', {}, { runId })
  const app = mountIn(pgflow, () => [useRun(runId), useRuns()])
  onTestFinished(() => app.wrapper.unmount())
  await pgflow.settled()
  const id = await panel.open(app.wrapper)
  const { events } = panel.collectSent(id)
  const seen = (group = runId) =>
    events
      .filter(({ layerId, event }) => layerId === id && event.groupId === group)
      .map(({ event }) => `${event.title ?? ''}: ${event.subtitle ?? ''}`)
  return { ...app, pgflow, run: pgflow.run(runId), events, seen }
}

afterEach(() => panel.close())

it('has each broadcast of a run in its group, and what it was about', async () => {
  const { run, seen } = await showRun()
  await run.complete('list')
  expect(seen()).toEqual([
    `event: list step:completed (seq 3) · ${runId}`,
    `event: sum step:started (seq 4) · ${runId}`,
  ])
})

it('has gaps, and the snapshots that fill them', async () => {
  const { run, pgflow, seen, events } = await showRun()
  pgflow.faults.dropMessages('list:completed')
  await run.complete('list')
  expect(seen().map((line) => line.split(':')[0])).toEqual(['event', 'gap', 'read', 'snapshot'])
  expect(seen().at(-1)).toBe(`snapshot: started, 2 steps (seq 4) · ${runId}`)
  const gap = events.find(({ event }) => event.title === 'gap')
  expect(gap?.event.logType).toBe('warning')
})

it('has lost connections and reconnects, probes and silent channels', async () => {
  const { run, pgflow, seen } = await showRun()
  await pgflow.faults.killSocket()
  await pgflow.advance(1_000)
  const titles = () => seen().map((line) => line.split(':')[0])
  expect(titles()).toEqual(['left', 'reconnect', 'read', 'snapshot'])
  pgflow.faults.dropMessages(10)
  await run.complete('list')
  await pgflow.advance(6_000)
  expect(titles().slice(4, 8)).toEqual(['probe', 'read', 'snapshot', 'silent'])
})

it('takes a channel for joined again only where it was lost', () => {
  const joins = new Joins()
  const titles = (...kinds: ('joined' | 'left' | 'event')[]) =>
    kinds.map((kind) => joins.of({ kind, key: runId }))
  // Realtime says it twice: once of the channel, once of the database's stream.
  expect(titles('left', 'joined', 'joined', 'event')).toEqual([null, 'joined', 'ready', null])
  expect(titles('left', 'left', 'joined', 'joined')).toEqual([null, null, 'reconnect', 'ready'])
  expect(joins.of({ kind: 'joined', key: 'another' })).toBe('joined')
})

it('has stale broadcasts', async () => {
  const { run, pgflow, seen } = await showRun()
  pgflow.faults.duplicateMessages('list:completed')
  await run.complete('list')
  expect(seen()).toContain(`stale: list step:completed (seq 3) · ${runId}`)
})

it('has lists in groups of their own', async () => {
  const { lists, seen } = await showRun()
  const [key = ''] = Object.keys(lists.lists)
  const { refresh, release } = lists.observeRuns()
  await refresh()
  release()
  expect(seen(key)).toEqual(['snapshot: 1 runs · all flows, any status, by 20'])
})

it('takes nothing from the trace of the app', async () => {
  const trace = vi.fn()
  const { run, pgflow } = await showRun(trace)
  await run.complete('list')
  expect(trace.mock.calls.map(([record]: unknown[]) => record)).toEqual(pgflow.traced)
  expect(pgflow.traced.map(({ kind }) => kind)).toContain('event')
})
