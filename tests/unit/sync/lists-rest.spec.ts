import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import type { ListQuery } from '../../../src/model/entities.ts'
import { codeOf } from './support/kit.ts'
import { noListFaults } from './support/list-backend.ts'
import { all, createListKit, moment, observed } from './support/list-kit.ts'

type Kit = ReturnType<typeof createListKit>

const started: ListQuery = { flow: null, status: 'started', pageSize: 2 }

/** What is asked for from now on: before which row, and how many. */
function asking(kit: Kit) {
  const before = kit.backend.requests.length
  return () => kit.backend.requests.slice(before).map((request) => [request.before, request.limit])
}

/** A list of two runs that is observed, of five; their ids, the newest first. */
async function ofFive(query: ListQuery, hasFeed = true) {
  const kit = createListKit({ hasFeed })
  const ids = [1, 2, 3, 4, 5].map(() => kit.backend.start('f')).reverse()
  const observation = await observed(kit, query)
  expect(kit.list(query)?.ids).toEqual(ids.slice(0, 2))
  return { kit, ids, ...observation, cursors: kit.shown(query).map(({ cursor }) => cursor) }
}

describe('a list that a run has left', () => {
  it('reads what is missing at its end, and no more', async () => {
    const { kit, ids, cursors } = await ofFive(started)
    const asked = asking(kit)
    kit.traced.length = 0
    kit.backend.end(ids[0] ?? '', 'completed')
    await kit.clock.advance(moment)
    expect(asked()).toEqual([[cursors[1], 2]])
    expect(kit.list(started)?.ids).toEqual(ids.slice(1, 3))
    expect(kit.traced.map(({ kind }) => kind)).not.toContain('gap')
  })

  it('reads nothing more while a read is on its way that has all', async () => {
    const { kit, ids, refresh } = await ofFive(started)
    const asked = asking(kit)
    kit.backend.answerTime = 1_500
    void refresh()
    await kit.clock.advance(0)
    kit.backend.end(ids[0] ?? '', 'completed')
    await kit.clock.advance(moment * 2)
    expect(asked()).toEqual([[null, 3]])
    expect(kit.list(started)?.ids).toEqual(ids.slice(1, 3))
  })

  it('reads the rest, too, when a snapshot lacked it', async () => {
    const { kit, ids, refresh } = await ofFive(started)
    kit.backend.answerTime = 3_000
    void refresh()
    await kit.clock.advance(500)
    kit.backend.end(ids[0] ?? '', 'completed')
    kit.backend.end(ids[1] ?? '', 'completed')
    await kit.clock.advance(10_000)
    expect(kit.list(started)?.ids).toEqual(ids.slice(2, 4))
  })
})

describe('one more page', () => {
  it('that is wanted during another read comes with that, and what follows it is looked for', async () => {
    const { kit, ids, refresh, loadMore } = await ofFive(all)
    const asked = asking(kit)
    void refresh()
    await kit.clock.advance(0)
    void loadMore()
    await kit.clock.advance(moment)
    const rows = kit.backend.rows(all)
    expect(asked().slice(0, 3)).toEqual([
      [null, 3],
      [rows[2]?.cursor, 2],
      [rows[3]?.cursor, 1],
    ])
    expect(kit.list(all)?.ids).toEqual(ids.slice(0, 4))
  })

  it('is requested with all before it when a caller wants that, too', async () => {
    const { kit, ids, refresh, loadMore } = await ofFive(all)
    const asked = asking(kit)
    void refresh()
    await kit.clock.advance(0)
    void loadMore()
    void refresh()
    await kit.clock.advance(moment)
    expect(asked()).toEqual([
      [null, 3],
      [kit.backend.rows(all)[2]?.cursor, 2],
      [null, 5],
    ])
    expect(kit.list(all)?.ids).toEqual(ids.slice(0, 4))
  })

  it('does not make up for what was missed meanwhile: all is read', async () => {
    const { kit, loadMore } = await ofFive(all)
    const asked = asking(kit)
    void loadMore()
    await kit.clock.advance(0)
    kit.backend.garble()
    expect(kit.list(all)?.connection.status).toBe('connecting')
    await kit.clock.advance(moment * 2)
    expect(asked().at(-1)).toEqual([null, 5])
    expect(kit.list(all)?.connection.status).toBe('live')
  })

  it('of a list whose first read has failed is requested at once, with the first', async () => {
    const kit = createListKit({ hasFeed: false })
    for (let n = 0; n < 5; n += 1) kit.backend.start('f')
    kit.backend.refusal = new PgflowError('unreachable', 'The server is down.')
    const { ready, loadMore } = kit.manager.observe(all)
    const failed = codeOf(ready)
    while (kit.reported.length === 0) await kit.clock.step()
    expect(await failed).toBe('unreachable')
    kit.backend.refusal = null
    const asked = asking(kit)
    void loadMore()
    await kit.clock.advance(0)
    expect(asked()).toEqual([[null, 3]])
    await kit.clock.advance(moment)
    expect(kit.list(all)?.ids).toHaveLength(4)
  })

  it('that waits for a first request which fails rejects, and nobody else is notified', async () => {
    const kit = createListKit({ hasFeed: false })
    kit.backend.refusal = new PgflowError('unreachable', 'The server is down.')
    const { loadMore } = kit.manager.observe(all)
    const loaded = codeOf(loadMore())
    await kit.clock.advance(400)
    expect(await loaded).toBe('unreachable')
    expect(kit.reported).toEqual([])
  })
})

describe('a list', () => {
  it('is loading while somebody waits for a read that follows another', async () => {
    const { kit, refresh } = await ofFive(all)
    kit.backend.answerTime = 5_000
    const asked = asking(kit)
    kit.backend.drop()
    while (asked().length === 0) await kit.clock.step()
    expect(kit.list(all)?.isLoading).toBe(false)
    void refresh()
    expect(kit.list(all)?.isLoading).toBe(true)
  })

  it('that nobody observes any more is kept a little while', async () => {
    const { kit, ids, release } = await ofFive(all)
    release()
    await kit.clock.advance(4_000)
    const asked = asking(kit)
    expect(kit.list(all)?.ids).toEqual(ids.slice(0, 2))
    kit.manager.observe(all)
    await kit.clock.advance(1_000)
    expect(asked()).toEqual([])
  })

  it('stays where everything is stopped, unless nothing was read', async () => {
    const { kit, ids } = await ofFive(all)
    kit.manager.observe(started)
    kit.manager.dispose()
    expect(kit.list(all)?.ids).toEqual(ids.slice(0, 2))
    expect(kit.list(started)).toBeUndefined()
  })

  it('that was refused is emptied as soon as nobody is signed in', async () => {
    const { kit, refresh } = await ofFive(all, false)
    kit.backend.refusal = new PgflowError('not_granted', 'No.')
    refresh().catch(() => undefined)
    await kit.clock.advance(45_000)
    expect(kit.list(all)?.connection.status).toBe('closed')
    kit.backend.refusal = new PgflowError('not_signed_in', 'No.')
    await kit.clock.advance(62_000)
    expect(kit.list(all)?.ids).toEqual([])
  })
})

describe('what was forged of one run', () => {
  const run = { flow_slug: 'f', status: 'started', started_at: '2026-01-01T00:00:9999+00:00' }

  it('undoes no update received during the request', async () => {
    const { kit, ids, refresh } = await ofFive(all, false)
    const [run_id = ''] = ids
    kit.backend.answerTime = 1_000
    void refresh()
    await kit.clock.advance(500)
    kit.manager.receive({ run_id, seq: 3, run: { status: 'completed' }, needsSnapshot: false })
    kit.manager.beginStart()('mine')
    kit.manager.receive({ run_id: 'mine', seq: 9, run, needsSnapshot: false })
    kit.manager.receive({ run_id, seq: 9, run: { status: 'failed' }, needsSnapshot: false })
    kit.manager.forgetAbove(run_id, 3)
    await kit.clock.advance(1_000)
    expect(kit.shown(all)).toMatchObject([
      { run_id: 'mine', seq: 9 },
      { run_id, status: 'completed', seq: 3 },
    ])
  })
})

/** For how long a list shows a run whose end was lost, after a probe has found it, in ms. */
async function shownAfterProbe(isRestRead: boolean): Promise<number> {
  const kit = createListKit()
  const ids = Array.from({ length: 8 }, () => kit.backend.start('f')).reverse()
  await observed(kit, started)
  const [lost = '', other = ''] = ids
  const endUnheard = (id: string) => {
    kit.backend.faults = { ...noListFaults, lose: 1 }
    kit.backend.end(id, 'completed')
    kit.backend.faults = noListFaults
  }
  endUnheard(lost)
  kit.backend.answerTime = 1
  const probes = kit.backend.probes.length
  while (kit.backend.probes.length === probes) await kit.clock.step()
  const from = kit.clock.time
  // It has its response now, and waits a moment for the broadcast.
  await kit.clock.advance(205)
  if (isRestRead) {
    endUnheard(other)
    const row = kit.backend.row(other)
    if (row) kit.manager.receive({ run_id: other, seq: row.seq, run: row, needsSnapshot: false })
  }
  while (kit.list(started)?.ids.includes(lost) && kit.clock.time - from < 100_000) {
    await kit.clock.advance(100)
  }
  return kit.clock.time - from
}

it.each([false, true])(
  'what a probe has found is read at once, whether or not the rest is due (%s)',
  async (isRestRead) => {
    expect(await shownAfterProbe(isRestRead)).toBeLessThan(1_500)
  },
)

describe('a click on more', () => {
  it('right after a run has left shows one more page', async () => {
    const kit = createListKit()
    const ids = Array.from({ length: 8 }, () => kit.backend.start('f')).reverse()
    const { loadMore } = await observed(kit, started)
    kit.backend.end(ids[0] ?? '', 'completed')
    while (kit.list(started)?.ids.length === 2) await kit.clock.step()
    void loadMore()
    await kit.clock.advance(moment * 3)
    expect(kit.list(started)?.ids).toHaveLength(4)
  })

  it('during a whole read needs no second whole read', async () => {
    const { kit, refresh, loadMore } = await ofFive(all, false)
    await kit.clock.advance(500)
    kit.backend.answerTime = 300
    const asked = asking(kit)
    void refresh()
    await kit.clock.advance(0)
    void loadMore()
    await kit.clock.advance(moment)
    expect(asked().filter(([before]) => before === null)).toHaveLength(1)
  })
})
