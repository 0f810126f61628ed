import { describe, expect, it } from 'vitest'
import type { ListQuery } from '../../../src/model/entities.ts'
import { all, createListKit, moment, observed } from './support/list-kit.ts'

type Kit = ReturnType<typeof createListKit>

/** From now on lists are answered as they are now; the returned function ends that. */
function lag(kit: Kit, query: ListQuery) {
  const { backend } = kit
  const runs = backend.rows(query).map((row) => ({ ...row }))
  const real = backend.listRuns.bind(backend)
  backend.listRuns = async (...given) => {
    await real(...given)
    return { runs: runs.slice(0, given[2]), cursor: null }
  }
  return () => Reflect.deleteProperty(backend, 'listRuns')
}

it.each([
  ['a quiet run is going', true],
  ['no run is going', false],
])('a run that had an update stays in the list (%s)', async (_, isGoing) => {
  const kit = createListKit()
  const query: ListQuery = { flow: null, status: null, pageSize: 5 }
  const first = kit.backend.start('f')
  if (!isGoing) kit.backend.end(first, 'completed')
  const { refresh } = await observed(kit, query)
  await kit.clock.advance(120_000)
  const stop = lag(kit, query)
  const id = kit.backend.start('f')
  await kit.clock.advance(300)
  expect(kit.list(query)?.ids[0]).toBe(id) // heard
  void refresh() // as an app does after a start; the replica is 1 s behind
  await kit.clock.advance(700)
  expect(kit.list(query)?.ids[0]).toBe(id)
  stop()
  await kit.clock.advance(10_000)
  expect(kit.list(query)).toMatchObject({ ids: [id, first], connection: { status: 'live' } })
})

/** A list of what is going; a run ends, of which the feed tells and the replica does not know. */
async function endWhileLagging() {
  const kit = createListKit()
  const query: ListQuery = { flow: null, status: 'started', pageSize: 5 }
  const gone = kit.backend.start('f')
  kit.backend.start('f')
  const { refresh } = await observed(kit, query)
  await kit.clock.advance(5_000)
  const stop = lag(kit, query)
  kit.backend.end(gone, 'completed')
  return { kit, query, gone, refresh, stop }
}

it('the feed is not silent because a replica lagged', async () => {
  const { kit, query, gone, refresh, stop } = await endWhileLagging()
  await kit.clock.advance(300)
  expect(kit.list(query)?.ids).not.toContain(gone) // heard
  void refresh()
  await kit.clock.advance(700)
  stop()
  expect(kit.list(query)?.ids).not.toContain(gone)
  await kit.clock.advance(10_000)
  expect(kit.list(query)?.connection.error).toBeNull()
})

it('the feed is not silent for an end that it has sent, however old a replica is', async () => {
  const { kit, query, gone, refresh, stop } = await endWhileLagging()
  await kit.clock.advance(40_000)
  void refresh()
  await kit.clock.advance(300)
  expect(kit.list(query)?.ids).toContain(gone) // a replica 40 s behind is believed
  stop()
  await kit.clock.advance(40_000)
  expect(kit.list(query)).toMatchObject({ connection: { status: 'live', error: null } })
  expect(kit.list(query)?.ids).not.toContain(gone)
})

it('a silent feed is found although a followed run has received the end', async () => {
  const kit = createListKit()
  kit.backend.answerTime = 1
  const ids = [1, 2].map(() => kit.backend.start('f'))
  const r = ids[1] ?? ''
  await observed(kit, all)
  await kit.clock.advance(moment)
  expect(kit.list(all)?.connection.status).toBe('live')
  kit.backend.faults = { ...kit.backend.faults, lose: 1 }
  kit.backend.end(r, 'completed')
  const probes = kit.backend.probes.length
  const reads = kit.backend.requests.length
  while (kit.backend.probes.length === probes) await kit.clock.advance(10)
  // The answer to the probe has come; the read for it is not sent yet.
  await kit.clock.advance(220)
  expect(kit.backend.requests.length).toBe(reads)
  kit.manager.receive({ run_id: r, seq: 3, run: { status: 'completed' }, needsSnapshot: false })
  await kit.clock.advance(moment)
  expect(kit.backend.requests.length).toBeGreaterThan(reads)
  expect(kit.list(all)?.connection.status).toBe('polling')
})

it.each(['joined anew', 'in doubt'] as const)(
  'an end that was heard is not taken back by a replica once the feed is %s',
  async (how) => {
    const { kit, query, gone } = await endWhileLagging()
    await kit.clock.advance(300)
    expect(kit.list(query)?.ids).not.toContain(gone) // heard
    const reads = kit.backend.requests.length
    if (how === 'in doubt') kit.backend.garble()
    else kit.backend.drop()
    await kit.clock.advance(moment)
    expect(kit.backend.requests.length).toBeGreaterThan(reads)
    expect(kit.list(query)?.ids).not.toContain(gone)
  },
)

/** For how long the list is `live` although it lacks a run, in ms. */
async function liveWithout(kit: Kit, query: ListQuery, runId: string): Promise<number> {
  const from = kit.clock.time
  let live = 0
  while (!kit.list(query)?.ids.includes(runId) && kit.clock.time - from < 100_000) {
    if (kit.list(query)?.connection.status === 'live') live += 100
    await kit.clock.advance(100)
  }
  return live
}

/** Lets time pass until the list is read. */
async function untilRead(kit: Kit) {
  const reads = kit.backend.requests.length
  while (kit.backend.requests.length === reads) await kit.clock.step()
}

describe('after the feed was lost, a list is not live on a snapshot of a replica', () => {
  it('that has an older state of a shown run', async () => {
    const kit = createListKit()
    const query: ListQuery = { flow: null, status: null, pageSize: 5 }
    const a = kit.backend.start('f')
    await observed(kit, query)
    const stop = lag(kit, query)
    kit.backend.drop()
    const b = kit.backend.start('f') // no feed: it is not heard
    kit.backend.progress(a)
    kit.manager.receive({ run_id: a, seq: 2, run: { remaining_steps: 1 }, needsSnapshot: false })
    await untilRead(kit)
    await kit.clock.advance(1_000)
    stop()
    expect(await liveWithout(kit, query, b)).toBeLessThan(5_000)
  })

  it('that still has a run whose end the feed had sent', async () => {
    const kit = createListKit()
    const query: ListQuery = { flow: null, status: 'started', pageSize: 5 }
    const gone = kit.backend.start('f')
    kit.backend.start('f')
    await observed(kit, query)
    await kit.clock.advance(moment)
    const stop = lag(kit, query)
    kit.backend.end(gone, 'completed')
    await kit.clock.advance(300)
    expect(kit.list(query)?.ids).not.toContain(gone) // heard
    kit.backend.drop()
    const b = kit.backend.start('f')
    await untilRead(kit)
    await kit.clock.advance(1_000)
    stop()
    expect(await liveWithout(kit, query, b)).toBeLessThan(5_000)
  })

  it('that lacks a run which was shown when it was requested, and that ends meanwhile', async () => {
    const kit = createListKit()
    const query: ListQuery = { flow: null, status: null, pageSize: 5 }
    kit.backend.start('f')
    await observed(kit, query)
    await kit.clock.advance(moment)
    const stop = lag(kit, query)
    const shown = kit.backend.start('f')
    await kit.clock.advance(300)
    expect(kit.list(query)?.ids).toContain(shown) // heard
    kit.backend.drop()
    const b = kit.backend.start('f')
    kit.backend.answerTime = 1_000
    await untilRead(kit)
    await kit.clock.advance(300)
    kit.backend.end(shown, 'completed') // by the feed, which is joined again
    await kit.clock.advance(500)
    stop()
    kit.backend.answerTime = null
    expect(await liveWithout(kit, query, b)).toBeLessThan(5_000)
  })
})

/** Without the feed, one row is forged. After how long it is corrected, in ms. */
async function correctedAfter(isRestRead: boolean): Promise<number> {
  const kit = createListKit({ hasFeed: false })
  const query: ListQuery = { flow: null, status: 'started', pageSize: 3 }
  const ids = Array.from({ length: 60 }, () => kit.backend.start('f')).reverse()
  await observed(kit, query)
  const [run_id = ''] = ids
  const run = { status: 'started', error_message: 'forged' }
  kit.manager.receive({ run_id, seq: 1_000, run, needsSnapshot: false })
  const from = kit.clock.time
  while (kit.summaries.value[run_id]?.error_message && kit.clock.time - from < 200_000) {
    await kit.clock.advance(5_000)
    if (!isRestRead) continue
    const other = kit.shown(query).at(-1)?.run_id ?? ''
    kit.backend.end(other, 'completed')
    const row = kit.backend.row(other)
    if (row) kit.manager.receive({ run_id: other, seq: row.seq, run: row, needsSnapshot: false })
  }
  return kit.clock.time - from
}

it.each([false, true])(
  'a forged row is corrected within a minute, whether or not the rest is read meanwhile (%s)',
  async (isRestRead) => {
    expect(await correctedAfter(isRestRead)).toBeLessThanOrEqual(60_000)
  },
)
