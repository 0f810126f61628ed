import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import type { ListQuery } from '../../../src/model/entities.ts'
import { listKey } from '../../../src/sync/lists/types.ts'
import { codeOf } from './support/kit.ts'
import { all, createListKit, moment, observed } from './support/list-kit.ts'
import { noListFaults } from './support/list-backend.ts'

const started: ListQuery = { flow: null, status: 'started', pageSize: 2 }

/** What was asked for since there were `before` requests. */
function askedSince(kit: ReturnType<typeof createListKit>, before: number) {
  return kit.backend.requests.slice(before).map((request) => [request.before, request.limit])
}

describe('one more page', () => {
  it('is requested after the last row, and one row more', async () => {
    const kit = createListKit()
    const ids = [1, 2, 3, 4, 5].map(() => kit.backend.start('f')).reverse()
    const { loadMore } = await observed(kit, all)
    const asked = kit.backend.requests.length
    const last = kit.shown(all)[1]?.cursor
    void loadMore()
    void loadMore()
    await kit.clock.advance(moment)
    expect(askedSince(kit, asked)).toEqual([[last, 3]])
    expect(kit.list(all)?.ids).toEqual(ids.slice(0, 4))
  })

  it('is requested with all before it when the cursor of the last row is not held', async () => {
    const kit = createListKit()
    for (let n = 0; n < 3; n += 1) kit.backend.start('f')
    const { loadMore } = await observed(kit, all)
    for (let n = 0; n < 2; n += 1) kit.backend.start('f')
    await kit.clock.advance(moment)
    const asked = kit.backend.requests.length
    void loadMore()
    await kit.clock.advance(moment)
    expect(askedSince(kit, asked)).toEqual([[null, 5]])
    expect(kit.list(all)?.ids).toHaveLength(4)
  })

  it('waits for the first', async () => {
    const kit = createListKit()
    const ids = [1, 2, 3, 4, 5].map(() => kit.backend.start('f')).reverse()
    const { loadMore } = kit.manager.observe(all)
    void loadMore()
    await kit.clock.advance(moment)
    expect(kit.list(all)?.ids).toEqual(ids.slice(0, 4))
  })

  it('that could not be read undoes no later update', async () => {
    const kit = createListKit()
    for (let n = 0; n < 5; n += 1) kit.backend.start('f')
    const { loadMore } = await observed(kit, all)
    kit.backend.refusal = new PgflowError('unreachable', 'The server is down.')
    kit.backend.answerTime = 0
    const loaded = codeOf(loadMore())
    await kit.clock.advance(1)
    const heard = [kit.backend.start('f')]
    await kit.clock.advance(400)
    expect(await loaded).toBe('unreachable')
    for (let n = 0; n < 3; n += 1) heard.unshift(kit.backend.start('f'))
    await kit.clock.advance(400)
    expect(kit.list(all)?.ids).toEqual(heard)
  })
})

describe('a list longer than one page', () => {
  const long: ListQuery = { ...all, pageSize: 100 }
  it.each([
    [100, false],
    [101, true],
  ])('of %i runs is read by as many requests as it takes', async (runs, hasMore) => {
    const kit = createListKit()
    for (let n = 0; n < runs; n += 1) kit.backend.start('f')
    await observed(kit, long)
    expect(kit.backend.requests.slice(0, 2).map(({ limit }) => limit)).toEqual([100, 1])
    expect(kit.list(long)?.ids).toHaveLength(100)
    expect(kit.list(long)?.hasMore).toBe(hasMore)
  })

  it('ends with an empty page, even if it has a cursor', async () => {
    const kit = createListKit({ hasFeed: false })
    let asked = 0
    kit.backend.listRuns = () => {
      asked += 1
      return asked > 9
        ? Promise.reject(new PgflowError('unreachable', 'Too often.'))
        : Promise.resolve({ runs: [], cursor: 'x' })
    }
    const { ready } = kit.manager.observe(all)
    await ready
    expect(asked).toBe(1)
    expect(kit.list(all)?.hasMore).toBe(false)
    kit.manager.dispose()
  })
})

describe('before the first snapshot', () => {
  it('no update is shown', async () => {
    const kit = createListKit()
    kit.backend.answerTime = 5_000
    kit.manager.observe(all)
    await kit.clock.advance(moment)
    const id = kit.backend.start('f')
    await kit.clock.advance(1_000)
    expect(kit.list(all)).toMatchObject({ ids: [], isLoading: true })
    await kit.clock.advance(5_000)
    expect(kit.list(all)).toMatchObject({ ids: [id], isLoading: false })
  })
})

describe('a read that waits for others', () => {
  it('is sent at once for a caller', async () => {
    const kit = createListKit()
    const { refresh } = await observed(kit, all)
    kit.backend.drop()
    const asked = kit.backend.requests.length
    while (kit.traced.at(-1)?.kind !== 'fetch') await kit.clock.step()
    expect(kit.backend.requests).toHaveLength(asked)
    void refresh()
    await kit.clock.advance(0)
    expect(kit.backend.requests).toHaveLength(asked + 1)
    await kit.clock.advance(moment)
  })

  it('is given up with the list', async () => {
    const kit = createListKit()
    kit.manager.observe(all)
    await kit.clock.advance(1)
    expect(kit.backend.signals.map(({ aborted }) => aborted)).toEqual([false])
    kit.manager.dispose()
    expect(kit.backend.signals.map(({ aborted }) => aborted)).toEqual([true])
  })
})

describe('what one list has read', () => {
  it('is shown by the others at once, without a request of theirs', async () => {
    const kit = createListKit({ hasFeed: false })
    const other: ListQuery = { ...all, pageSize: 3 }
    const id = kit.backend.start('f')
    const { refresh } = await observed(kit, all)
    await observed(kit, other)
    kit.backend.end(id, 'completed')
    const latest = kit.backend.start('f')
    const asked = kit.backend.requests.length
    const refreshed = refresh()
    kit.traced.length = 0
    await kit.clock.advance(400)
    await refreshed
    expect(kit.list(other)?.ids).toEqual([latest, id])
    expect(kit.backend.requests).toHaveLength(asked + 1)
    const own = kit.traced.filter(({ key }) => key === listKey(all))
    expect(own.map(({ kind }) => kind)).toEqual(['answer'])
  })

  it('is no update for the others when nothing has changed', async () => {
    const kit = createListKit({ hasFeed: false })
    kit.backend.start('f')
    await observed(kit, all)
    await observed(kit, { ...all, pageSize: 3 })
    await kit.clock.advance(60_000)
    const asked = kit.backend.requests.length
    await kit.clock.advance(300_000)
    // One in 15 s for each of the two.
    expect(kit.backend.requests.length - asked).toBeLessThanOrEqual(56)
  })

  it('does not show a run where it belongs no more', async () => {
    const kit = createListKit({ hasFeed: false })
    const run_id = kit.backend.start('f')
    await observed(kit, all)
    const { refresh } = await observed(kit, started)
    kit.manager.receive({ run_id, seq: 9, run: { status: 'completed' }, needsSnapshot: false })
    expect(kit.list(started)?.ids).toEqual([])
    void refresh()
    await kit.clock.advance(400)
    expect(kit.list(all)?.ids).toEqual([run_id])
    expect(kit.list(started)?.ids).toEqual([])
  })
})

describe('updates of a run that is followed', () => {
  it('change the list that shows it', async () => {
    const kit = createListKit({ hasFeed: false })
    const run_id = kit.backend.start('f')
    await observed(kit, all)
    kit.manager.receive({ run_id, seq: 3, run: { status: 'failed' }, needsSnapshot: false })
    expect(kit.summaries.value[run_id]?.status).toBe('failed')
  })

  it('without a change do not make a poll come sooner', async () => {
    const kit = createListKit({ hasFeed: false })
    const run_id = kit.backend.start('f')
    await observed(kit, all)
    await kit.clock.advance(120_000)
    const asked = kit.backend.requests.length
    while (kit.backend.requests.length === asked) await kit.clock.step()
    await kit.clock.advance(500)
    kit.manager.receive({ run_id, seq: null, run: {}, needsSnapshot: false })
    await kit.clock.advance(8_000)
    expect(kit.backend.requests).toHaveLength(asked + 1)
  })
})

describe('a feed on which nothing arrives', () => {
  /** Lists that are longer than a probe may be. */
  const long: ListQuery = { ...all, pageSize: 250 }

  it('is checked by the seqs of 200 runs at most, and nothing is read', async () => {
    const kit = createListKit()
    for (let n = 0; n < 250; n += 1) kit.backend.start('f')
    kit.manager.observe(long)
    await kit.clock.advance(moment)
    const asked = kit.backend.requests.length
    await kit.clock.advance(20_000)
    expect(kit.backend.probes.length).toBeGreaterThan(1)
    expect(kit.backend.probes[0]).toEqual(kit.list(long)?.ids.slice(0, 200))
    expect(kit.backend.requests).toHaveLength(asked)
  })

  it('is read where a run is gone', async () => {
    const kit = createListKit()
    kit.backend.start('f')
    await observed(kit, all)
    kit.backend.clear()
    await kit.clock.advance(8_000)
    expect(kit.list(all)?.ids).toEqual([])
  })

  it('does not probe runs without a seq, nor read them again and again', async () => {
    const kit = createListKit()
    kit.backend.uncount(kit.backend.start('f'))
    await observed(kit, all)
    const asked = kit.backend.requests.length
    await kit.clock.advance(10_000)
    expect(kit.backend.probes).toEqual([])
    expect(kit.backend.requests).toHaveLength(asked)
  })

  it('is silent when the end of a run was missed', async () => {
    const kit = createListKit()
    const id = kit.backend.start('f')
    await observed(kit, all)
    kit.backend.faults = { ...noListFaults, lose: 1 }
    kit.backend.end(id, 'completed')
    await kit.clock.advance(8_000)
    expect(kit.list(all)?.connection.error?.code).toBe('realtime_silent')
  })

  it('is not silent beside runs that had ended before', async () => {
    const kit = createListKit()
    const ended = kit.backend.start('f')
    kit.backend.end(ended, 'completed')
    const id = kit.backend.start('f')
    await observed(kit, all)
    kit.backend.progress(id)
    await kit.clock.advance(8_000)
    expect(kit.shown(all)[0]?.seq).toBe(2)
    expect(kit.list(all)?.connection.status).toBe('live')
    expect(kit.backend.probes[0]).toEqual([id])
  })
})

describe('an outdated snapshot', () => {
  it('counts as one also if only one of its rows is', async () => {
    const kit = createListKit({ hasFeed: false })
    const run_id = kit.backend.start('f')
    kit.backend.start('f')
    const { refresh } = await observed(kit, all)
    kit.manager.receive({ run_id, seq: 9, run: { status: 'completed' }, needsSnapshot: false })
    for (let time = 0; time < 4; time += 1) {
      void refresh()
      await kit.clock.advance(10_000)
    }
    expect(kit.summaries.value[run_id]?.status).toBe('started')
  })

  it('is none when it was overtaken by an update: it is not requested again', async () => {
    const kit = createListKit()
    const id = kit.backend.start('f')
    kit.backend.start('f')
    const { refresh } = await observed(kit, all)
    kit.backend.answerTime = 1_000
    void refresh()
    await kit.clock.advance(300)
    kit.backend.end(id, 'completed')
    await kit.clock.advance(1_500)
    const asked = kit.backend.requests.length
    await kit.clock.advance(35_000)
    expect(kit.backend.requests).toHaveLength(asked)
  })
})

describe('a list that is refused', () => {
  /** Refused for long enough to be believed. */
  async function refused(code: 'not_signed_in' | 'not_granted') {
    const kit = createListKit({ hasFeed: false })
    for (let n = 0; n < 3; n += 1) kit.backend.start('f')
    const { refresh } = await observed(kit, all)
    kit.backend.refusal = new PgflowError(code, 'No.')
    refresh().catch(() => undefined)
    await kit.clock.advance(45_000)
    expect(kit.list(all)?.connection.status).toBe('closed')
    return { kit, refresh }
  }

  it('without a user shows nothing, not even updates', async () => {
    const { kit } = await refused('not_signed_in')
    expect(kit.list(all)).toMatchObject({ ids: [], hasMore: false, isLoading: false })
    kit.manager.beginStart()('r')
    const run = { flow_slug: 'f', status: 'started', started_at: '2026-01-01T00:00:01+00:00' }
    kit.manager.receive({ run_id: 'r', seq: 1, run, needsSnapshot: false })
    expect(kit.list(all)?.ids).toEqual([])
  })

  it('for another reason keeps what it shows', async () => {
    const { kit } = await refused('not_granted')
    expect(kit.list(all)).toMatchObject({ hasMore: true, isLoading: false })
    expect(kit.list(all)?.ids).toHaveLength(2)
  })

  it('is loading while somebody waits for it', async () => {
    const { kit, refresh } = await refused('not_signed_in')
    refresh().catch(() => undefined)
    expect(kit.list(all)?.isLoading).toBe(true)
    await kit.clock.advance(1_000)
    expect(kit.list(all)?.isLoading).toBe(false)
  })
})

it('a probe does not miss a run that has entered since it was sent', async () => {
  const kit = createListKit()
  const query: ListQuery = { flow: null, status: 'started', pageSize: 3 }
  kit.backend.start('f')
  await observed(kit, query)
  kit.backend.answerTime = 1_000
  const probes = kit.backend.probes.length
  while (kit.backend.probes.length === probes) await kit.clock.step()
  const before = kit.backend.requests.length
  await kit.clock.advance(300)
  const id = kit.backend.start('f')
  await kit.clock.advance(300)
  expect(kit.list(query)?.ids).toContain(id)
  await kit.clock.advance(2_000)
  expect(kit.backend.requests).toHaveLength(before)
})

it('the error of a followed run stays in a list of plain pgflow, whose rows have none', async () => {
  const kit = createListKit({ hasFeed: false, isCounted: false })
  const run_id = kit.backend.start('f')
  await observed(kit, all)
  kit.backend.end(run_id, 'failed')
  const run = { status: 'failed', error_message: 'boom', remaining_steps: 1 }
  kit.manager.receive({ run_id, seq: null, run, needsSnapshot: false })
  expect(kit.shown(all)[0]).toMatchObject({ status: 'failed', error_message: 'boom' })
  await kit.clock.advance(moment * 4)
  expect(kit.shown(all)[0]).toMatchObject({ status: 'failed', error_message: 'boom' })
})

it('a hydrated list does not show a run that another list has found to be of another status', () => {
  const kit = createListKit({ hasFeed: false })
  const query: ListQuery = { flow: null, status: 'started', pageSize: 5 }
  kit.backend.start('f')
  const rows = kit.backend.rows(query).map((row) => ({ ...row }))
  kit.state.write(listKey(query), { rows, hasMore: false })
  const failed = rows.map((row) => ({ ...row, status: 'failed' }))
  kit.state.write(listKey({ ...query, status: 'failed' }), { rows: failed, hasMore: false })
  kit.manager.observe(query)
  expect(kit.list(query)?.ids).toEqual([])
})

it('a hydrated list drops a run whose end is received before the list is read', async () => {
  const kit = createListKit()
  const query: ListQuery = { flow: null, status: 'started', pageSize: 5 }
  const id = kit.backend.start('f')
  kit.state.write(listKey(query), { rows: kit.backend.rows(query), hasMore: false })
  kit.backend.answerTime = 10_000
  kit.manager.observe(query)
  await kit.clock.advance(1_000)
  kit.backend.end(id, 'completed')
  await kit.clock.advance(1_000)
  expect(kit.list(query)?.ids).toEqual([])
})
