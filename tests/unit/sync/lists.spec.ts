import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import type { ListQuery } from '../../../src/model/entities.ts'
import { all, createListKit, moment, observed } from './support/list-kit.ts'
import { codeOf } from './support/kit.ts'
import { noListFaults } from './support/list-backend.ts'

const started: ListQuery = { flow: null, status: 'started', pageSize: 2 }

describe('a list over the feed', () => {
  it('shows a page, then more, and reports whether there are more', async () => {
    const kit = createListKit()
    const ids = [1, 2, 3, 4, 5].map(() => kit.backend.start('f')).reverse()
    const { loadMore } = await observed(kit, all)
    expect(kit.list(all)).toMatchObject({
      ids: ids.slice(0, 2),
      hasMore: true,
      isLoading: false,
      connection: { status: 'live', error: null },
    })
    void loadMore()
    expect(kit.list(all)?.isLoading).toBe(true)
    await kit.clock.advance(moment)
    expect(kit.list(all)).toMatchObject({ ids: ids.slice(0, 4), hasMore: true, isLoading: false })
    void loadMore()
    await kit.clock.advance(moment)
    expect(kit.list(all)).toMatchObject({ ids, hasMore: false })
  })

  it('that is exactly full has no more', async () => {
    const kit = createListKit()
    kit.backend.start('f')
    kit.backend.start('f')
    const { loadMore } = await observed(kit, all)
    expect(kit.list(all)?.hasMore).toBe(false)
    const asked = kit.backend.requests.length
    await loadMore()
    expect(kit.backend.requests).toHaveLength(asked)
  })

  it('loads one page however often it is called meanwhile', async () => {
    const kit = createListKit()
    for (let n = 0; n < 9; n += 1) kit.backend.start('f')
    const { loadMore } = await observed(kit, all)
    void loadMore()
    void loadMore()
    void loadMore()
    await kit.clock.advance(moment)
    expect(kit.list(all)?.ids).toHaveLength(4)
  })

  it('puts a run that starts in its place, without asking', async () => {
    const kit = createListKit()
    kit.backend.start('f')
    await observed(kit, all)
    const asked = kit.backend.requests.length
    const id = kit.backend.start('f')
    await kit.clock.advance(500)
    expect(kit.list(all)?.ids[0]).toBe(id)
    expect(kit.backend.requests).toHaveLength(asked)
  })

  it('keeps its length: the oldest gives way, and can be loaded', async () => {
    const kit = createListKit()
    const first = [kit.backend.start('f'), kit.backend.start('f')]
    const { loadMore } = await observed(kit, all)
    const [newer, newest] = [kit.backend.start('f'), kit.backend.start('f')]
    await kit.clock.advance(500)
    expect(kit.list(all)).toMatchObject({ ids: [newest, newer], hasMore: true })
    void loadMore()
    await kit.clock.advance(moment)
    expect(kit.list(all)).toMatchObject({ ids: [newest, newer, ...first.reverse()] })
  })

  it('shows a run that ends, at once', async () => {
    const kit = createListKit()
    const id = kit.backend.start('f')
    await observed(kit, all)
    const asked = kit.backend.requests.length
    kit.backend.end(id, 'failed')
    await kit.clock.advance(500)
    expect(kit.summaries.value[id]).toMatchObject({ status: 'failed', seq: 3 })
    expect(kit.backend.requests).toHaveLength(asked)
  })

  it('of a status lets a run leave, and fills its place with an older one', async () => {
    const kit = createListKit()
    const [oldest, middle, newest] = [1, 2, 3].map(() => kit.backend.start('f'))
    await observed(kit, started)
    expect(kit.list(started)?.ids).toEqual([newest, middle])
    kit.backend.end(middle ?? '', 'completed')
    await kit.clock.advance(500)
    expect(kit.list(started)?.ids).not.toContain(middle)
    await kit.clock.advance(moment)
    expect(kit.list(started)).toMatchObject({ ids: [newest, oldest], hasMore: false })
    expect(kit.summaries.value).not.toHaveProperty(middle ?? '')
  })

  it('of a status lets a run enter that was not held', async () => {
    const kit = createListKit()
    const failed = { ...all, status: 'failed' }
    const id = kit.backend.start('f')
    await observed(kit, failed)
    expect(kit.list(failed)?.ids).toEqual([])
    kit.backend.end(id, 'failed')
    await kit.clock.advance(moment)
    expect(kit.list(failed)?.ids).toEqual([id])
    expect(kit.list(failed)?.connection.status).toBe('live')
  })

  it('sends no request for runs of other flows', async () => {
    const kit = createListKit()
    const mine = { ...all, flow: 'mine' }
    const other = kit.backend.start('other')
    await observed(kit, mine)
    const asked = kit.backend.requests.length
    kit.backend.start('other')
    kit.backend.end(other, 'failed')
    await kit.clock.advance(moment)
    expect(kit.backend.requests).toHaveLength(asked)
    expect(kit.list(mine)?.ids).toEqual([])
  })

  it('finds out by itself what was lost without a trace', async () => {
    const kit = createListKit()
    const id = kit.backend.start('f')
    await observed(kit, all)
    kit.backend.faults = { ...kit.backend.faults, lose: 1 }
    kit.backend.end(id, 'completed')
    await kit.clock.advance(moment)
    expect(kit.summaries.value[id]?.status).toBe('started')
    await kit.clock.advance(20_000)
    expect(kit.summaries.value[id]?.status).toBe('completed')
  })

  it('also when the feed is never silent', async () => {
    const kit = createListKit()
    const lost = kit.backend.start('f')
    await observed(kit, { ...all, pageSize: 200 })
    kit.backend.faults = { ...kit.backend.faults, lose: 1 }
    kit.backend.end(lost, 'completed')
    kit.backend.faults = { ...kit.backend.faults, lose: 0 }
    for (let second = 0; second < 70; second += 1) {
      kit.backend.start('f')
      await kit.clock.advance(1_000)
    }
    expect(kit.summaries.value[lost]?.status).toBe('completed')
  })

  it('is not silent because of changes that the feed does not carry', async () => {
    const kit = createListKit()
    const id = kit.backend.start('f')
    await observed(kit, all)
    for (let n = 0; n < 60; n += 1) {
      kit.backend.progress(id)
      await kit.clock.advance(1_000)
      expect(kit.list(all)?.connection).toEqual({ status: 'live', error: null })
    }
    expect(kit.shown(all)[0]?.seq).toBeGreaterThan(40)
  })

  it('whose feed is silent shows it with all others, until anything arrives', async () => {
    const kit = createListKit()
    const id = kit.backend.start('f')
    kit.backend.start('f')
    await observed(kit, all)
    await observed(kit, started)
    const connections = () => [all, started].map((query) => kit.list(query)?.connection)
    kit.backend.faults = { ...noListFaults, lose: 1 }
    kit.backend.end(id, 'completed')
    await kit.clock.advance(8_000)
    expect(connections()).toMatchObject(
      Array(2).fill({ status: 'polling', error: { code: 'realtime_silent' } }),
    )
    // Which runs are new nothing but a read can say.
    const later = kit.backend.start('f')
    await kit.clock.advance(8_000)
    expect(kit.list(all)?.ids[0]).toBe(later)
    // What is known from elsewhere was not heard.
    kit.manager.receive({ run_id: later, seq: 9, run: {}, needsSnapshot: false })
    expect(kit.list(all)?.connection.status).toBe('polling')
    kit.backend.faults = noListFaults
    kit.backend.start('g')
    await kit.clock.advance(1_000)
    expect(connections()).toEqual(Array(2).fill({ status: 'live', error: null }))
  })

  it('is polled while the feed is down, and read again when it is back', async () => {
    const kit = createListKit()
    const id = kit.backend.start('f')
    await observed(kit, all)
    kit.backend.drop()
    expect(kit.list(all)?.connection).toMatchObject({
      status: 'offline',
      error: { code: 'channel_failed' },
    })
    kit.backend.end(id, 'completed')
    await kit.clock.advance(moment)
    expect(kit.summaries.value[id]?.status).toBe('completed')
    expect(kit.list(all)?.connection).toEqual({ status: 'live', error: null })
  })
})

describe('while a read is on its way', () => {
  it('nothing that starts or ends is lost between what is shown and what is read', async () => {
    const kit = createListKit()
    const ids = [1, 2, 3, 4, 5].map(() => kit.backend.start('f'))
    const { loadMore } = await observed(kit, started)
    kit.backend.answerTime = 5_000
    void loadMore()
    await kit.clock.advance(500)
    const more = [6, 7, 8].map(() => kit.backend.start('f'))
    await kit.clock.advance(500)
    for (const id of more.slice(1)) kit.backend.end(id, 'completed')
    await kit.clock.advance(5_000)
    expect(kit.list(started)?.ids).toEqual([more[0], ids[4], ids[3], ids[2]])
  })

  it('runs that leave are made up for when it has come in', async () => {
    const kit = createListKit()
    const ids = [1, 2, 3, 4].map(() => kit.backend.start('f'))
    const { refresh } = await observed(kit, started)
    kit.backend.answerTime = 1_000
    void refresh()
    await kit.clock.advance(500)
    for (const id of ids.slice(2)) kit.backend.end(id, 'completed')
    await kit.clock.advance(5_000)
    expect(kit.list(started)?.ids).toEqual([ids[1], ids[0]])
  })
})

describe('updates that arrive out of order', () => {
  const start = {
    flow_slug: 'f',
    status: 'started',
    started_at: '2026-01-01T00:00:00:0001+00:00',
  }

  it('do not bring back a run that has left', async () => {
    const kit = createListKit()
    const { refresh } = await observed(kit, started)
    const claim = kit.manager.beginStart()
    claim('r')
    kit.manager.receive({
      run_id: 'r',
      seq: 3,
      run: { ...start, status: 'failed' },
      needsSnapshot: false,
    })
    kit.manager.receive({ run_id: 'r', seq: 1, run: start, needsSnapshot: false })
    expect(kit.list(started)?.ids).toEqual([])
    void refresh()
    await kit.clock.advance(moment)
    kit.manager.receive({ run_id: 'r', seq: 1, run: start, needsSnapshot: false })
    expect(kit.list(started)?.ids).toEqual([])
  })

  it('do not bring back a run that has left before a read was sent', async () => {
    const kit = createListKit({ seed: 3 })
    await observed(kit, started)
    // It waits for 10 s while the run starts, is heard of, and ends unheard.
    kit.backend.faults = { ...noListFaults, hang: 1 }
    const late: ListQuery = { ...started, pageSize: 5 }
    kit.manager.observe(late)
    await kit.clock.advance(1)
    kit.backend.faults = noListFaults
    const id = kit.backend.start('f')
    await kit.clock.advance(moment)
    expect(kit.list(started)?.ids).toEqual([id])
    kit.backend.drop()
    kit.backend.end(id, 'completed')
    await kit.clock.advance(moment)
    expect(kit.list(started)?.ids).toEqual([])
    await kit.clock.advance(8_000)
    expect([started, late].map((query) => kit.list(query))).toMatchObject(
      Array(2).fill({ ids: [], connection: { status: 'live', error: null } }),
    )
  })
})

describe('what was forged of a run that is followed', () => {
  const forged = { seq: 9, run: { status: 'started' }, needsSnapshot: false }
  const genuine = { seq: 3, run: { status: 'completed' }, needsSnapshot: false }

  it('does not come back with a read that was under way', async () => {
    const kit = createListKit({ hasFeed: false })
    const run_id = kit.backend.start('f')
    const { refresh } = await observed(kit, all)
    kit.backend.end(run_id, 'completed')
    kit.backend.answerTime = 1_000
    void refresh()
    await kit.clock.advance(100)
    kit.manager.receive({ run_id, ...forged })
    kit.manager.forgetAbove(run_id, 3)
    kit.manager.receive({ run_id, ...genuine })
    await kit.clock.advance(1_500)
    expect(kit.shown(all)).toMatchObject([{ status: 'completed', seq: 3 }])
  })

  it('nor with a page that is added to what is shown', async () => {
    const kit = createListKit({ hasFeed: false })
    kit.backend.start('f')
    kit.backend.start('f')
    const run_id = kit.backend.start('f')
    const { loadMore } = await observed(kit, all)
    kit.backend.end(run_id, 'completed')
    kit.backend.answerTime = 1_000
    void loadMore()
    await kit.clock.advance(300)
    kit.manager.receive({ run_id, ...forged })
    kit.manager.forgetAbove(run_id, 3)
    kit.manager.receive({ run_id, ...genuine })
    await kit.clock.advance(1_500)
    expect(kit.shown(all)).toHaveLength(3)
    expect(kit.shown(all)[0]).toMatchObject({ run_id, status: 'completed', seq: 3 })
  })
})

describe('a list without a feed', () => {
  it('is polled, which its status shows', async () => {
    const kit = createListKit({ hasFeed: false })
    const id = kit.backend.start('f')
    await observed(kit, all)
    expect(kit.list(all)?.connection.status).toBe('polling')
    kit.backend.end(id, 'completed')
    await kit.clock.advance(4_000)
    expect(kit.summaries.value[id]?.status).toBe('completed')
  })

  it('is requested less often while nothing changes, and not on a hidden page', async () => {
    const kit = createListKit({ hasFeed: false })
    await observed(kit, all)
    await kit.clock.advance(300_000)
    const asked = kit.backend.requests.length
    expect(asked).toBeLessThan(40)
    kit.leave()
    await kit.clock.advance(60_000)
    expect(kit.backend.requests.length - asked).toBeLessThanOrEqual(1)
    const hidden = kit.backend.requests.length
    const id = kit.backend.start('f')
    kit.comeBack()
    await kit.clock.advance(moment)
    expect(kit.backend.requests.length).toBeGreaterThan(hidden)
    expect(kit.list(all)?.ids).toEqual([id])
  })

  it('shows a run that was started here before it is read again', async () => {
    const kit = createListKit({ hasFeed: false })
    await observed(kit, all)
    const asked = kit.backend.requests.length
    const claim = kit.manager.beginStart()
    const id = kit.backend.start('f')
    claim(id)
    const row = kit.backend.row(id)
    kit.manager.receive({ run_id: id, seq: 1, run: row ?? {}, needsSnapshot: false })
    expect(kit.list(all)?.ids).toEqual([id])
    expect(kit.backend.requests).toHaveLength(asked)
  })

  it('does not show the run of somebody else that is followed here', async () => {
    const kit = createListKit({ hasFeed: false })
    await observed(kit, all)
    const run = { flow_slug: 'f', status: 'started', started_at: '2026-01-01T00:00:01+00:00' }
    kit.manager.receive({ run_id: 'theirs', seq: 1, run, needsSnapshot: false })
    await kit.clock.advance(moment)
    expect(kit.list(all)?.ids).toEqual([])
  })
})

describe('a read that fails', () => {
  it('is retried, and reported only to its caller', async () => {
    const kit = createListKit({ hasFeed: false })
    kit.backend.refusal = new PgflowError('unreachable', 'The server is down.')
    const { ready, refresh } = kit.manager.observe(all)
    const first = codeOf(ready)
    await kit.clock.advance(500)
    expect(await first).toBe('unreachable')
    expect(kit.list(all)).toMatchObject({
      isLoading: false,
      connection: { status: 'offline', error: { code: 'unreachable' } },
    })
    await kit.clock.advance(60_000)
    const reported = kit.reported.length
    const refreshed = codeOf(refresh())
    await kit.clock.advance(500)
    expect(await refreshed).toBe('unreachable')
    expect(kit.reported).toHaveLength(reported)
    kit.backend.refusal = null
    await kit.clock.advance(40_000)
    expect(kit.list(all)?.connection).toEqual({ status: 'polling', error: null })
  })

  it('because nobody is signed in is not retried, until somebody is', async () => {
    const kit = createListKit({ hasFeed: false })
    kit.backend.refusal = new PgflowError('not_signed_in', 'Sign in to list your runs.')
    await observed(kit, all)
    expect(kit.list(all)?.connection).toMatchObject({
      status: 'closed',
      error: { code: 'not_signed_in' },
    })
    await kit.clock.advance(600_000)
    expect(kit.backend.requests).toHaveLength(1)
    kit.backend.refusal = null
    kit.backend.changeUser()
    const id = kit.backend.start('f')
    await kit.clock.advance(moment)
    expect(kit.list(all)).toMatchObject({ ids: [id], connection: { status: 'polling' } })
  })
})

describe('a snapshot that is older than what is held', () => {
  it('undoes nothing, until the database has returned it for half a minute', async () => {
    const kit = createListKit({ hasFeed: false })
    const id = kit.backend.start('f')
    const { refresh } = await observed(kit, all)
    const claim = kit.manager.beginStart()
    claim(id)
    kit.manager.receive({ run_id: id, seq: 9, run: { status: 'completed' }, needsSnapshot: false })
    const statuses: unknown[] = []
    for (let time = 0; time < 4; time += 1) {
      void refresh()
      await kit.clock.advance(10_000)
      statuses.push(kit.summaries.value[id]?.status)
    }
    expect(statuses).toEqual(['completed', 'completed', 'completed', 'started'])
  })
})

describe('a sign-out without an event', () => {
  it('empties the list when the database keeps refusing', async () => {
    const kit = createListKit({ hasFeed: false })
    const id = kit.backend.start('f')
    const { refresh } = await observed(kit, all)
    expect(kit.list(all)?.ids).toEqual([id])
    kit.backend.refusal = new PgflowError('not_signed_in', 'Sign in to list your runs.')
    const refreshed = codeOf(refresh())
    await kit.clock.advance(500)
    expect(await refreshed).toBe('not_signed_in')
    // One request may have gone out without its session.
    expect(kit.list(all)).toMatchObject({
      ids: [id],
      connection: { status: 'offline', error: { code: 'not_signed_in' } },
    })
    await kit.clock.advance(40_000)
    expect(kit.list(all)?.connection.status).toBe('closed')
    expect(kit.list(all)?.ids).toEqual([])
    expect(kit.summaries.value).toEqual({})
  })
})

describe('when somebody else signs in', () => {
  it('what was shown is gone at once, also what is on its way', async () => {
    const kit = createListKit()
    kit.backend.start('f')
    const { refresh } = await observed(kit, all)
    const refreshed = codeOf(refresh())
    await kit.clock.advance(1)
    kit.backend.changeUser()
    expect(kit.list(all)).toMatchObject({ ids: [], isLoading: true })
    expect(kit.summaries.value).toEqual({})
    await kit.clock.advance(moment)
    expect(await refreshed).toBe('aborted')
    // That of the one before may go on, where the server is not told.
    expect(kit.backend.feeds).toBe(2)
    expect(kit.list(all)).toMatchObject({ ids: [], connection: { status: 'live' } })
  })

  it('a run that the one before is starting does not enter', async () => {
    const kit = createListKit({ hasFeed: false })
    await observed(kit, all)
    const claim = kit.manager.beginStart()
    kit.backend.changeUser()
    await kit.clock.advance(moment)
    claim('theirs')
    const run = { flow_slug: 'f', status: 'started', started_at: '2026-01-01T00:00:01+00:00' }
    kit.manager.receive({ run_id: 'theirs', seq: 1, run, needsSnapshot: false })
    expect(kit.list(all)?.ids).toEqual([])
  })
})

describe('observers', () => {
  it('of the same query share one list, and the last one ends it after gcTime', async () => {
    const kit = createListKit()
    kit.backend.start('f')
    const first = kit.manager.observe(all)
    const second = kit.manager.observe({ ...all })
    await kit.clock.advance(1)
    expect(kit.backend.requests).toHaveLength(1)
    await kit.clock.advance(moment)
    first.release()
    first.release()
    await kit.clock.advance(10_000)
    expect(kit.list(all)?.connection.status).toBe('live')
    second.release()
    await kit.clock.advance(1_000)
    const third = kit.manager.observe(all)
    await kit.clock.advance(10_000)
    expect(kit.list(all)?.connection.status).toBe('live')
    third.release()
    await kit.clock.advance(10_000)
    expect(kit.lists.value).toEqual({})
    expect(kit.summaries.value).toEqual({})
    expect(kit.backend.hasOpenFeed).toBe(false)
    expect(kit.left()).toBe(0)
    expect(await codeOf(third.refresh())).toBe('aborted')
    expect(kit.lists.value).toEqual({})
  })

  it('of different queries keep the runs that both show until neither does', async () => {
    const kit = createListKit({ gcTime: 0 })
    const [a, b] = [kit.backend.start('f'), kit.backend.start('g')]
    const one = await observed(kit, all)
    const two = await observed(kit, { ...all, flow: 'f' })
    one.release()
    await kit.clock.advance(1)
    expect(Object.keys(kit.summaries.value)).toEqual([a])
    expect(kit.summaries.value).not.toHaveProperty(b)
    two.release()
    await kit.clock.advance(1)
    expect(kit.summaries.value).toEqual({})
  })
})

describe('on a server', () => {
  it('a list is read once, stays in the state, and nothing is left [F39]', async () => {
    const kit = createListKit({ isServer: true })
    const id = kit.backend.start('f')
    const { ready, release } = kit.manager.observe(all)
    await kit.clock.advance(500)
    await ready
    release()
    expect(kit.left()).toBe(0)
    expect(kit.list(all)).toMatchObject({
      ids: [id],
      isLoading: false,
      connection: { status: 'idle' },
    })
  })
})
