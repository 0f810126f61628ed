import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import type { ListQuery } from '../../../src/model/entities.ts'
import { all, createListKit, moment, observed } from './support/list-kit.ts'
import { codeOf } from './support/kit.ts'
import { noListFaults } from './support/list-backend.ts'

type Kit = ReturnType<typeof createListKit>

const started: ListQuery = { flow: null, status: 'started', pageSize: 2 }

/** From now on lists are answered as they are now; the returned function ends that. */
function lag({ backend }: Kit) {
  const before = backend.rows({ flow: null, status: null })
  const rows = backend.rows.bind(backend)
  backend.rows = (query) => before.filter(({ status }) => (query.status ?? status) === status)
  return () => (backend.rows = rows)
}

/** How often something was asked for since. */
const askedSince = (kit: Kit, before: number) => kit.backend.requests.length - before

describe('a snapshot without a run that had a recent update', () => {
  it('is outdated: it is requested again until the run is in it', async () => {
    const kit = createListKit()
    const first = kit.backend.start('f')
    const { refresh } = await observed(kit, all)
    const stop = lag(kit)
    const id = kit.backend.start('f')
    await kit.clock.advance(300)
    const asked = kit.backend.requests.length
    void refresh()
    await kit.clock.advance(moment)
    expect(kit.list(all)).toMatchObject({
      ids: [id, first],
      connection: { status: 'connecting' },
    })
    expect(askedSince(kit, asked)).toBeGreaterThan(1)
    stop()
    await kit.clock.advance(10_000)
    expect(kit.list(all)).toMatchObject({ ids: [id, first], connection: { status: 'live' } })
    const settled = kit.backend.requests.length
    await kit.clock.advance(30_000)
    expect(askedSince(kit, settled)).toBe(0)
  })

  it('is outdated also where there are more runs than are shown', async () => {
    const kit = createListKit()
    const ids = [1, 2, 3, 4, 5].map(() => kit.backend.start('f')).reverse()
    const { refresh } = await observed(kit, all)
    lag(kit)
    const id = kit.backend.start('f')
    await kit.clock.advance(300)
    void refresh()
    await kit.clock.advance(moment)
    expect(kit.list(all)?.ids).toEqual([id, ids[0]])
  })

  it('is accepted in the end: the run may have been deleted', async () => {
    const kit = createListKit()
    const first = kit.backend.start('f')
    const { refresh } = await observed(kit, all)
    lag(kit)
    const id = kit.backend.start('f')
    await kit.clock.advance(300)
    void refresh()
    await kit.clock.advance(20_000)
    expect(kit.list(all)?.ids).toEqual([id, first])
    await kit.clock.advance(60_000)
    expect(kit.list(all)?.ids).toEqual([first])
  })

  it('is not outdated where the run has its place after the last row of the snapshot', async () => {
    const kit = createListKit()
    const ids = [1, 2, 3].map(() => kit.backend.start('f')).reverse()
    const { refresh } = await observed(kit, all)
    kit.backend.end(ids[1] ?? '', 'completed')
    await kit.clock.advance(500)
    expect(kit.shown(all)[1]?.status).toBe('completed') // heard
    kit.backend.faults = { ...noListFaults, lose: 1 }
    for (let n = 0; n < 3; n += 1) kit.backend.start('f')
    const asked = kit.backend.requests.length
    void refresh()
    await kit.clock.advance(moment)
    expect(askedSince(kit, asked)).toBe(1)
    expect(kit.list(all)?.connection.status).toBe('live')
  })

  it('is not outdated where it is only the rest of a list', async () => {
    const kit = createListKit()
    for (let n = 0; n < 5; n += 1) kit.backend.start('f')
    const { loadMore } = await observed(kit, all)
    const id = kit.backend.start('f')
    await kit.clock.advance(500)
    expect(kit.list(all)?.ids[0]).toBe(id)
    const asked = kit.backend.requests.length
    void loadMore()
    await kit.clock.advance(moment)
    expect(askedSince(kit, asked)).toBe(1)
    expect(kit.list(all)).toMatchObject({ connection: { status: 'live' } })
    expect(kit.list(all)?.ids).toHaveLength(4)
  })
})

describe('a snapshot with a row that is older than what is held', () => {
  it('is outdated although another run had an update meanwhile', async () => {
    const kit = createListKit({ hasFeed: false })
    const [id, other] = [kit.backend.start('f'), kit.backend.start('f')]
    const { refresh } = await observed(kit, all)
    const forged = { run_id: id, seq: 9, run: { status: 'failed' }, needsSnapshot: false }
    kit.manager.receive(forged)
    const from = kit.clock.time
    const isForged = () => kit.summaries.value[id]?.status === 'failed'
    for (let seq = 10; isForged() && kit.clock.time - from < 60_000; seq += 1) {
      void refresh().catch(() => undefined)
      await kit.clock.advance(1)
      kit.manager.receive({ ...forged, run_id: other, seq, run: { status: 'started' } })
      await kit.clock.advance(2_500)
    }
    expect(kit.summaries.value[id]?.status).toBe('started')
  })
})

describe('a snapshot that was overtaken by the feed', () => {
  it('takes nothing from a run that is still shown', async () => {
    const kit = createListKit()
    const ids = [kit.backend.start('f'), kit.backend.start('f')].reverse()
    const { refresh } = await observed(kit, all)
    lag(kit)
    kit.backend.end(ids[0] ?? '', 'completed')
    await kit.clock.advance(500)
    void refresh()
    await kit.clock.advance(moment)
    expect(kit.list(all)?.ids).toEqual(ids)
    expect(kit.shown(all)[0]?.status).toBe('completed')
  })

  it('by an event that does not tell all is followed by another', async () => {
    const kit = createListKit()
    const failed: ListQuery = { ...all, status: 'failed' }
    const id = kit.backend.start('f')
    const { refresh } = await observed(kit, failed)
    kit.backend.answerTime = 1_000
    void refresh()
    await kit.clock.advance(500)
    const asked = kit.backend.requests.length
    kit.backend.end(id, 'failed')
    await kit.clock.advance(4_000)
    expect(askedSince(kit, asked)).toBe(1)
    expect(kit.shown(failed)).toMatchObject([{ run_id: id, remaining_steps: 1 }])
  })

  it('before it was requested is not requested again', async () => {
    const kit = createListKit()
    const id = kit.backend.start('f')
    await observed(kit, all)
    kit.traced.length = 0
    kit.backend.drop()
    while (kit.traced.at(-1)?.kind !== 'fetch') await kit.clock.step()
    const asked = kit.backend.requests.length
    kit.backend.end(id, 'completed')
    await kit.clock.advance(moment * 2)
    expect(askedSince(kit, asked)).toBe(1)
    expect(kit.shown(all)[0]?.status).toBe('completed')
  })
})

describe('a run that had an update before its list was opened', () => {
  it('is in the list', async () => {
    const kit = createListKit()
    await observed(kit, { ...all, flow: 'g' })
    const id = kit.backend.start('f')
    await kit.clock.advance(500)
    await observed(kit, all)
    expect(kit.list(all)?.ids).toEqual([id])
  })
})

describe('a feed that has lost the end of a run', () => {
  it('is silent where the run has left the list', async () => {
    const kit = createListKit()
    const id = kit.backend.start('f')
    kit.backend.start('f')
    await observed(kit, started)
    kit.backend.faults = { ...noListFaults, lose: 1 }
    kit.backend.end(id, 'completed')
    await kit.clock.advance(8_000)
    expect(kit.list(started)).toMatchObject({
      connection: { status: 'polling', error: { code: 'realtime_silent' } },
    })
  })

  it('is not called silent because a run was pushed out of a list of all', async () => {
    const kit = createListKit()
    const ids = [kit.backend.start('f'), kit.backend.start('f')]
    await observed(kit, all)
    kit.backend.faults = { ...noListFaults, lose: 1 }
    const later = [kit.backend.start('f'), kit.backend.start('f')]
    kit.backend.progress(ids[0] ?? '')
    await kit.clock.advance(8_000)
    expect(kit.list(all)).toMatchObject({
      ids: later.reverse(),
      connection: { status: 'live', error: null },
    })
  })

  it('or a deletion is made up for, also where other runs are as they were', async () => {
    const kit = createListKit()
    const [gone, id] = [kit.backend.start('f'), kit.backend.start('f')]
    await observed(kit, all)
    kit.backend.delete(gone)
    await kit.clock.advance(8_000)
    expect(kit.list(all)?.ids).toEqual([id])
  })
})

describe('a list that could not be read on a server', () => {
  it('is left with the reason', async () => {
    const kit = createListKit({ isServer: true })
    kit.backend.refusal = new PgflowError('unreachable', 'The server is down.')
    const { ready, release } = kit.manager.observe(all)
    const failed = codeOf(ready)
    await kit.clock.advance(500)
    expect(await failed).toBe('unreachable')
    release()
    expect(kit.list(all)).toMatchObject({
      ids: [],
      isLoading: false,
      connection: { status: 'idle', error: { code: 'unreachable' } },
    })
  })
})
