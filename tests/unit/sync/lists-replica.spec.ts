import { expect, it } from 'vitest'
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
