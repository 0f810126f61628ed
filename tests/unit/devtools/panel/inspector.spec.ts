import * as panel from '../support/panel.ts'
import { createPinia } from 'pinia'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { mountIn } from '../../../support/app.ts'
import { useFlow, useRun, useRuns } from 'pinia-pgflow'

vi.mock('@vue/devtools-api', () => import('@vue/devtools-kit'))

const runId = '00000000-0000-4000-8000-000000000001'
const otherId = '00000000-0000-4000-8000-000000000002'
const flows = {
  report: {
    list: { output: ['a', 'b', 'c'] },
    each: { deps: ['list'], type: 'map' },
    sum: { deps: ['each'] },
  },
} as const

/** An app that shows a run, with the panel open. */
async function showRun() {
  const pgflow = createTestPgflow({ flows })
  pgflow.seedRun('report', { of: 'x' }, { runId })
  const app = mountIn(pgflow, () => useRun(runId))
  onTestFinished(() => app.wrapper.unmount())
  await pgflow.settled()
  const id = await panel.open(app.wrapper)
  return { ...app, pgflow, id, run: pgflow.run(runId) }
}

afterEach(() => panel.close())

describe('the tree', () => {
  it('has flows, their runs and their steps, each with its status', async () => {
    const { id, run, pgflow } = await showRun()
    await run.complete('list')
    await run.progress('each', 2)
    await run.retry('each', 'no luck', 2)
    pgflow.seedRun('report', {}, { runId: otherId })
    expect(panel.outline(await panel.tree(id))).toEqual([
      'sync',
      'report [1 running]',
      `  ${runId} [started] [live]`,
      '    list [completed]',
      '    each [started] [2/3] [attempt 1 failed]',
      '    sum [created]',
    ])
  })

  it('shows only what is sought, with what is above it and below it', async () => {
    const { id, run } = await showRun()
    await run.complete('list')
    const sought = async (filter: string) => panel.outline(await panel.tree(id, filter))
    const [, flow, row, list, each, sum] = await sought('')
    expect(await sought('SUM')).toEqual([flow, row, sum])
    expect(await sought('completed')).toEqual([flow, row, list])
    expect(await sought(runId.slice(-6))).toEqual([flow, row, list, each, sum])
    expect(await sought('report')).toEqual([flow, row, list, each, sum])
    expect(await sought('sync')).toEqual(['sync'])
    expect(await sought('nothing of the kind')).toEqual(['nothing found'])
  })

  it('has a run that cannot be read, and why', async () => {
    const pgflow = createTestPgflow({ flows })
    const { wrapper } = mountIn(pgflow, () => useRun(otherId))
    onTestFinished(() => wrapper.unmount())
    await pgflow.settled()
    const id = await panel.open(wrapper)
    expect(panel.outline(await panel.tree(id))).toEqual([
      'sync',
      'not in the store',
      `  ${otherId} [closed]`,
    ])
    const panels = await panel.state(id, `run:${otherId}`)
    expect(panel.valueIn(panels, 'connection', 'error')).toMatchObject({ code: 'run_not_found' })
  })

  it('has lists, and shows their rows', async () => {
    const pgflow = createTestPgflow({ flows })
    pgflow.seedRun('report', {}, { runId })
    const { wrapper } = mountIn(pgflow, () => useRuns({ flow: 'report', pageSize: 5 }))
    onTestFinished(() => wrapper.unmount())
    await pgflow.settled()
    const id = await panel.open(wrapper)
    const nodes = await panel.tree(id)
    expect(panel.outline(nodes)).toEqual([
      'sync',
      'lists',
      '  report, any status, by 5 [1 runs] [polling]',
    ])
    const panels = await panel.state(id, nodes[1]?.children?.[0]?.id ?? '')
    expect(panel.valueIn(panels, 'list', 'flow')).toBe('report')
    expect(panel.valueIn(panels, 'runs', runId)).toMatchObject({ status: 'started' })
    expect(panels.trace?.map(({ key }) => key.split(' ')[1])).toEqual(['snapshot', 'read'])
    expect(panels.trace?.[0]?.value).toEqual({ '1 runs': { runIds: [runId], hasMore: false } })
  })

  it('shows 200 runs of a flow and finds the others', async () => {
    const pgflow = createTestPgflow({ flows: { quick: { only: {} } } })
    const ids = Array.from(
      { length: 230 },
      (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    )
    for (const each of ids) pgflow.seedRun('quick', {}, { runId: each })
    const { wrapper, store } = mountIn(pgflow, () => null, createPinia())
    onTestFinished(() => wrapper.unmount())
    await Promise.all(ids.map((each) => store.refreshRun(each)))
    const id = await panel.open(wrapper)
    const [, flow] = await panel.tree(id)
    expect(flow?.children).toHaveLength(201)
    expect(flow?.children?.[0]?.label).toBe(ids.at(-1))
    expect(flow?.children?.at(-1)?.label).toBe('30 older runs')
    expect(await panel.state(id, flow?.children?.at(-1)?.id ?? '')).toEqual({})
    const [found] = await panel.tree(id, ids[3])
    expect(found?.children?.map(({ label }) => label)).toEqual([ids[3]])
  })
})

describe('the state', () => {
  it('of a run has its fields, progress, connection and last trace records', async () => {
    const { id, run } = await showRun()
    await run.complete('list', ['a', 'b'])
    const panels = await panel.state(id, `run:${runId}`)
    expect(panel.valueIn(panels, 'run', 'status')).toBe('started')
    expect(panel.valueIn(panels, 'run', 'input')).toEqual({ of: 'x' })
    expect(panel.valueIn(panels, 'progress', 'completed')).toBe(1)
    expect(panel.valueIn(panels, 'connection', 'status')).toBe('live')
    expect(panel.valueIn(panels, 'connection', 'hasChannel')).toBe(true)
    const [newest, before] = panels.trace ?? []
    expect(newest?.value).toMatchObject({
      'each step:started (seq 4)': { type: 'step:started', seq: 4 },
    })
    expect(before?.key).toMatch(/^\d\d:\d\d:\d\d\.\d{3} event$/)
    expect(panels.trace?.map(({ key }) => key.split(' ')[1])).toContain('joined')
  })

  it('of a step has its output, the shape, the last attempt and its own events', async () => {
    const { id, run, store } = await showRun()
    await store.fetchFlow('report')
    await run.complete('list', ['a', 'b'])
    await run.retry('each', 'no luck', 1)
    const list = await panel.state(id, `step:${runId}/list`)
    expect(panel.valueIn(list, 'step', 'output')).toEqual(['a', 'b'])
    const each = await panel.state(id, `step:${runId}/each`)
    expect(panel.valueIn(each, 'step', 'deps')).toEqual(['list'])
    expect(panel.valueIn(each, 'last attempt that failed', 'error_message')).toBe('no luck')
    expect(each.trace?.map(({ value }) => Object.keys(value as object))).toEqual([
      ['each step:retrying (seq 5)'],
      ['each step:started (seq 4)'],
    ])
  })

  it('of a flow has the shape and how many runs are in which status', async () => {
    const { id, store } = await showRun()
    await store.fetchFlow('report')
    const panels = await panel.state(id, 'flow:report')
    expect(panels.statuses).toEqual([{ key: 'started', value: 1 }])
    expect(panels.shape?.map(({ key }) => key)).toEqual(['list', 'each', 'sum'])
  })

  it('of the sync has the open channels and the last records of all', async () => {
    const { id } = await showRun()
    const panels = await panel.state(id, 'sync:')
    expect(panel.valueIn(panels, 'sync', 'channels')).toEqual([runId])
    expect(panels.trace?.length).toBeGreaterThan(2)
  })

  it.each(['', 'run:', 'run:constructor', 'step:x', 'step:__proto__/x', 'list:{', 'who:knows'])(
    'of the node "%s" is nothing, and nothing is thrown',
    async (nodeId) => {
      const { id } = await showRun()
      expect(await panel.state(id, nodeId)).toEqual({})
    },
  )

  it('of what is not there any more is nothing', async () => {
    const { id, store, wrapper } = await showRun()
    store.removeRun(runId)
    expect(await panel.state(id, `run:${runId}`)).toEqual({})
    expect(await panel.state(id, `step:${runId}/list`)).toEqual({})
    wrapper.unmount()
  })
})

describe('live', () => {
  it('sends the tree again when a run has changed, and when it is gone', async () => {
    const { id, run, store } = await showRun()
    const { trees } = panel.collectSent(id)
    await run.complete('list')
    await vi.waitFor(() =>
      expect(panel.outline(trees.at(-1) ?? []).join()).toContain('list [completed]'),
    )
    store.removeRun(runId)
    await vi.waitFor(() => expect(panel.outline(trees.at(-1) ?? [])).toEqual(['sync']))
  })

  describe('while something is sought', () => {
    /** Only timers that a test lets run, so that it decides how late the page is. */
    async function showSought(sought: string) {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
      onTestFinished(() => void vi.useRealTimers())
      const shown = await showRun()
      await vi.runAllTimersAsync()
      const { trees } = panel.collectSent(shown.id)
      await panel.tree(shown.id, sought)
      return { ...shown, sent: () => trees.map((nodes) => panel.outline(nodes)) }
    }
    const found = (label: string): unknown[] => [
      expect.stringContaining('report'),
      expect.stringContaining(runId),
      `    ${label}`,
    ]

    it('sends only that, however late the page is', async () => {
      const { run, sent } = await showSought('list')
      await run.complete('list')
      // As where a busy page lets no timer run for a second.
      for (let turn = 0; turn < 20; turn += 1) {
        vi.setSystemTime(Date.now() + 1_000)
        await vi.advanceTimersToNextTimerAsync()
      }
      expect(sent().length).toBeGreaterThan(1)
      for (const tree of sent()) expect(tree).toEqual(found('list [completed]'))
    })

    it('takes an emptied field for what it is, also when another plugin had its turn', async () => {
      const { id, run, sent } = await showSought('list')
      await run.complete('list')
      await vi.advanceTimersByTimeAsync(450)
      panel.sendTree('components')
      await vi.advanceTimersByTimeAsync(130)
      expect(sent()).toEqual([])
      expect(panel.outline(await panel.tree(id, ''))[0]).toBe('sync')
      await vi.runAllTimersAsync()
      expect(sent().length).toBeGreaterThan(0)
      for (const tree of sent()) expect(tree[0]).toBe('sync')
    })

    it('says that nothing is found any more: an empty tree would leave the old one', async () => {
      const { run, sent } = await showSought('attempt')
      await run.complete('list', ['a', 'b'])
      await run.retry('each', 'no luck', 1)
      await vi.runAllTimersAsync()
      expect(sent().at(-1)).toEqual(found('each [started] [0/2] [attempt 1 failed]'))
      await run.complete('each')
      await vi.runAllTimersAsync()
      expect(sent().at(-1)).toEqual(['nothing found'])
    })
  })
})

describe('several apps', () => {
  it('have inspectors of their own, and each shows its own runs', async () => {
    const first = await showRun()
    const pgflow = createTestPgflow({ flows })
    const second = mountIn(pgflow, () => useFlow('report'))
    onTestFinished(() => second.wrapper.unmount())
    // Devtools set a plugin up once its app is selected.
    const id = await panel.open(second.wrapper)
    expect(id).not.toBe(first.id)
    expect(panel.outline(await panel.tree(id))).toEqual(['sync'])
    // That of the first app shows nothing while the second is selected.
    expect(await panel.tree(first.id)).toEqual([])
  })
})

describe('set-up', () => {
  it('that runs again when the panel opens adds nothing', async () => {
    const { id, wrapper } = await showRun()
    panel.close()
    expect(await panel.open(wrapper)).toBe(id)
    expect(panel.inspectorIds().filter((each) => each === id)).toHaveLength(1)
    const nodes = await panel.tree(id)
    expect(nodes.map(({ label }) => label)).toEqual(['sync', 'report'])
  })

  it('of an app that is unmounted before devtools are there does not happen', async () => {
    const before = panel.inspectorIds()
    const pgflow = createTestPgflow({ flows })
    const { wrapper } = mountIn(pgflow, () => useFlow('report'))
    wrapper.unmount()
    await import('../../../../src/devtools/devtools.ts')
    await Promise.resolve()
    expect(panel.inspectorIds()).toEqual(before)
  })
})

describe('an app that is unmounted', () => {
  it('leaves no records, timers or state behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { id, run, wrapper } = await showRun()
    const sent = panel.collectSent(id)
    await run.complete('list')
    expect(vi.getTimerCount()).toBeGreaterThan(0)
    wrapper.unmount()
    await vi.runAllTimersAsync()
    expect(vi.getTimerCount()).toBe(0)
    const count = sent.events.length
    await run.complete('each')
    expect(sent.events).toHaveLength(count)
    expect(await panel.tree(id).catch(() => [])).toEqual([])
    await panel.act(id, 'Read all runs')
    await panel.act(id, 'Release', `run:${runId}`)
  })
})
