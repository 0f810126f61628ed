import * as panel from '../support/panel.ts'
import { useRun, useRuns } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { mountIn } from '../../../support/app.ts'

vi.mock('@vue/devtools-api', () => import('@vue/devtools-kit'))

const runId = '00000000-0000-4000-8000-000000000001'
const otherId = '00000000-0000-4000-8000-000000000002'
const flows = { report: { list: {}, sum: { deps: ['list'] } } }
const nodeId = `run:${runId}`

async function showRuns() {
  const pgflow = createTestPgflow({ flows })
  for (const each of [runId, otherId]) pgflow.seedRun('report', { of: each }, { runId: each })
  const app = mountIn(pgflow, () => [useRun(runId), useRun(otherId), useRuns()])
  onTestFinished(() => app.wrapper.unmount())
  await pgflow.settled()
  const id = await panel.open(app.wrapper)
  const read = () => pgflow.requests.flatMap(({ kind, runIds }) => (kind === 'read' ? runIds : []))
  return { ...app, id, pgflow, read }
}

const said: string[] = []
beforeEach(() => {
  said.length = 0
  vi.spyOn(console, 'info').mockImplementation((text: string) => said.push(text))
})
afterEach(() => panel.close())

describe('refresh', () => {
  it('of a run reads that run', async () => {
    const { id, read } = await showRuns()
    const before = read().length
    await panel.act(id, 'Read it again', nodeId)
    expect(read().slice(before)).toEqual([runId])
  })

  it('of a step reads its run, and of a flow all runs that are held', async () => {
    const { id, read } = await showRuns()
    const before = read().length
    await panel.act(id, 'Read it again', `step:${runId}/list`)
    await panel.act(id, 'Read it again', 'flow:report')
    const [first, ...both] = read().slice(before)
    expect(first).toBe(runId)
    expect(both.sort()).toEqual([runId, otherId])
  })

  it('of a list reads it, and leaves nobody observing it', async () => {
    const { id, pgflow, lists, wrapper } = await showRuns()
    const [key = ''] = Object.keys(lists.lists)
    const count = () => pgflow.requests.filter(({ kind }) => kind === 'list').length
    const before = count()
    await panel.act(id, 'Read it again', `list:${key}`)
    expect(count()).toBe(before + 1)
    wrapper.unmount()
    await pgflow.advance(60_000)
    expect(count()).toBe(before + 1)
  })

  it('of all reads runs and lists', async () => {
    const { id, pgflow } = await showRuns()
    const before = pgflow.requests.length
    await panel.act(id, 'Read all runs and lists')
    const kinds = pgflow.requests.slice(before).map(({ kind }) => kind)
    expect(new Set(kinds)).toEqual(new Set(['read', 'list']))
  })

  it('that fails prints the error, and throws nothing', async () => {
    const { id, pgflow } = await showRuns()
    pgflow.faults.failRequest('not_granted', 'read')
    await panel.act(id, 'Read it again', nodeId)
    expect(said).toEqual([expect.stringMatching(/^\[pinia-pgflow\] not_granted: /)])
  })
})

describe('reconnect', () => {
  it('leaves the channel of a run, joins it again and reads', async () => {
    const { id, pgflow, store } = await showRuns()
    const before = pgflow.traced.length
    await panel.act(id, 'Leave its channel', nodeId)
    expect(store.connections[runId]?.status).toBe('connecting')
    await pgflow.settled()
    expect(store.connections[runId]?.status).toBe('live')
    const after = pgflow.traced.slice(before)
    expect(after.map(({ kind }) => kind)).toEqual(['left', 'joined', 'fetch', 'answer'])
    expect(new Set(after.map(({ key }) => key))).toEqual(new Set([runId]))
    expect(pgflow.openChannels).toHaveLength(2)
  })

  it('of all joins every run, which stays live afterwards', async () => {
    const { id, pgflow, result } = await showRuns()
    await panel.act(id, 'Leave all channels')
    await pgflow.settled()
    await pgflow.run(otherId).complete('list')
    const [, other] = result
    expect(other && 'steps' in other && other.steps.value.map(({ status }) => status)).toEqual([
      'completed',
      'started',
    ])
  })

  it('of a run that has ended prints that there is nothing to join', async () => {
    const { id, pgflow } = await showRuns()
    await pgflow.run(runId).play()
    await panel.act(id, 'Leave its channel', nodeId)
    expect(said).toEqual([expect.stringContaining('No run has a channel')])
  })
})

it('copies the id, or prints it where the browser does not allow that', async () => {
  const { id } = await showRuns()
  await panel.act(id, 'Copy its id', nodeId)
  expect(said).toEqual([`[pinia-pgflow] ${runId}`])
  const copied: string[] = []
  const writeText = (text: string) => Promise.resolve(copied.push(text))
  vi.stubGlobal('navigator', { clipboard: { writeText } })
  onTestFinished(() => void vi.unstubAllGlobals())
  await panel.act(id, 'Copy its id', nodeId)
  await panel.act(id, 'Copy its id', `step:${runId}/list`)
  await panel.act(id, 'Copy its id', 'flow:report')
  expect(copied).toEqual([runId, 'list', 'report'])
})

it.each([
  ['Read it again', 'sync:'],
  ['Leave its channel', 'list:[null,null,20]'],
  ['Copy its id', 'sync:'],
  ['Release', 'list:[null,null,20]'],
  ['Export', 'flow:report'],
])('"%s" says what it needs where "%s" is selected', async (tooltip, node) => {
  const { id, pgflow, store } = await showRuns()
  const copied = vi.fn(() => Promise.resolve())
  vi.stubGlobal('navigator', { clipboard: { writeText: copied } })
  onTestFinished(() => void vi.unstubAllGlobals())
  const before = pgflow.requests.length
  await panel.act(id, tooltip, node)
  expect(said).toEqual([expect.stringMatching(/Select (a|the) run|has no id/)])
  expect(copied).not.toHaveBeenCalled()
  expect(pgflow.requests).toHaveLength(before)
  expect(Object.keys(store.runs)).toHaveLength(2)
})

it('releases a run: it is followed no more and not in the store', async () => {
  const { id, store, pgflow } = await showRuns()
  await panel.act(id, 'Release', nodeId)
  expect(Object.keys(store.runs)).toEqual([otherId])
  expect(pgflow.openChannels).toHaveLength(1)
})

describe('export', () => {
  it('saves a recording of the run', async () => {
    const { id, pgflow } = await showRuns()
    await pgflow.run(runId).complete('list', ['a'])
    const saved: { name: string; url: string }[] = []
    const click = vi.spyOn(window.HTMLAnchorElement.prototype, 'click')
    click.mockImplementation(function (this: HTMLAnchorElement) {
      saved.push({ name: this.download, url: this.href })
    })
    const blobs: Blob[] = []
    vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
      if (blob instanceof Blob) blobs.push(blob)
      return 'blob:recording'
    })
    await panel.act(id, 'Export a recording', nodeId)
    expect(saved).toEqual([{ name: `pgflow-run-${runId}.json`, url: 'blob:recording' }])
    const recording: unknown = JSON.parse((await blobs[0]?.text()) ?? '')
    expect(recording).toMatchObject({
      format: 'pinia-pgflow recording',
      final: { run: { run_id: runId }, seq: 4 },
    })
  })

  it('needs one selected run', async () => {
    const { id } = await showRuns()
    await panel.act(id, 'Export a recording', 'flow:report')
    expect(said).toEqual(['[pinia-pgflow] Select the run to export.'])
  })
})
