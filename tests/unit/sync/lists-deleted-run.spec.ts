import { expect, it } from 'vitest'
import { createListState } from '../../../src/store/list-state.ts'
import type { ListQuery } from '../../../src/model/entities.ts'
import { Lists } from '../../../src/sync/lists/lists.ts'
import { SeqProbe } from '../../../src/sync/seq-probe.ts'
import { listKey } from '../../../src/sync/lists/types.ts'
import { createRandom, VirtualClock } from '../../support/virtual-clock.ts'
import { TestPageActivity } from '../../../src/testing/test-page-activity.ts'
import { ListBackend } from './support/list-backend.ts'

it.each([null, 'started'])(
  'a deleted run does not make the feed silent (status %s)',
  async (status) => {
    const clock = new VirtualClock(createRandom(1))
    const backend = new ListBackend(clock, true, true)
    const deleted = new Set<string>()
    const rows = backend.rows.bind(backend)
    backend.rows = (query) => rows(query).filter(({ run_id }) => !deleted.has(run_id))
    const transport = {
      openFeed: backend.openFeed,
      watchSession: backend.watchSession.bind(backend),
      listRuns: backend.listRuns.bind(backend),
      fetchSeqs: async (ids: readonly string[], signal: AbortSignal) => {
        const seqs = await (backend.fetchSeqs?.(ids, signal) ?? new Map<string, number>())
        return new Map([...seqs].filter(([id]) => !deleted.has(id)))
      },
    }
    const { lists, state } = createListState()
    const manager = new Lists({
      transport,
      probe: new SeqProbe(transport, clock, 10_000),
      scheduler: clock,
      pageActivity: new TestPageActivity(),
      state,
      times: { snapshotTimeout: 10_000, gcTime: 5_000 },
      maxChannels: 90,
      isServer: false,
      report: () => {},
    })
    const query: ListQuery = { flow: null, status, pageSize: 5 }
    const other: ListQuery = { flow: 'g', status: null, pageSize: 5 }
    const gone = backend.start('f')
    backend.start('f')
    manager.observe(query)
    manager.observe(other)
    await clock.advance(5_000)
    deleted.add(gone)
    await clock.advance(300_000)
    for (const each of [query, other]) {
      expect(lists.value[listKey(each)]?.connection).toEqual({ status: 'live', error: null })
    }
    expect(lists.value[listKey(query)]?.ids).not.toContain(gone)
    expect(lists.value[listKey(other)]?.connection).toMatchObject({ status: 'live', error: null })
  },
)
