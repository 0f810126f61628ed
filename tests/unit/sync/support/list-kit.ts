import { createListState } from '../../../../src/store/list-state.ts'
import type { ListQuery, RunSummary } from '../../../../src/model/entities.ts'
import type { Scheduler } from '../../../../src/model/scheduler.ts'
import type { PgflowError } from '../../../../src/errors.ts'
import { Lists } from '../../../../src/sync/lists/lists.ts'
import { SeqProbe } from '../../../../src/sync/seq-probe.ts'
import type { TraceRecord } from '../../../../src/sync/trace.ts'
import { listKey } from '../../../../src/sync/lists/types.ts'
import { createRandom, VirtualClock } from '../../../support/virtual-clock.ts'
import { TestPageActivity } from '../../../../src/testing/test-page-activity.ts'
import { ListBackend } from './list-backend.ts'

/** What a test may change. */
export interface ListKitOptions {
  seed?: number
  /** Whether there is a feed, as with private channels. */
  hasFeed?: boolean
  /** Whether rows have a `seq`: without the migration they have none. */
  isCounted?: boolean
  isServer?: boolean
  gcTime?: number
  maxChannels?: number
}

/** The query of all runs, two a page. */
export const all: ListQuery = { flow: null, status: null, pageSize: 2 }

/** Long enough for joins, reads and what follows from them; shorter than any watchdog. */
export const moment = 2_000

/** The sync of lists and their state, over a model of the database, in virtual time. */
export function createListKit(options: ListKitOptions = {}) {
  const clock = new VirtualClock(createRandom(options.seed ?? 1))
  let jumped = 0
  const { after, random } = clock
  const scheduler: Scheduler = { now: () => clock.now() + jumped, after, random }
  const backend = new ListBackend(clock, options.hasFeed ?? true, options.isCounted ?? true)
  const pageActivity = new TestPageActivity()
  const { lists, summaries, state } = createListState()
  const reported: PgflowError[] = []
  const traced: TraceRecord[] = []
  const probe = new SeqProbe(backend, scheduler, 10_000)
  const manager = new Lists({
    transport: backend,
    probe,
    scheduler,
    pageActivity,
    state,
    times: { snapshotTimeout: 10_000, gcTime: options.gcTime ?? 5_000 },
    maxChannels: options.maxChannels ?? 90,
    isServer: options.isServer ?? false,
    report: (error) => reported.push(error),
    trace: (record) => traced.push(record),
  })
  backend.watchSession((change) => manager.onSessionChange(change))

  return {
    clock,
    backend,
    /** The page is hidden, and without network. */
    leave: () => pageActivity.become({ isVisible: false, isOnline: false }),
    /** The page is seen again, and online. */
    comeBack: () => pageActivity.become({ isVisible: true, isOnline: true }),
    isAway: () => !pageActivity.isVisible(),
    /** Whether anything watches the page. */
    isWatched: () => pageActivity.watchers > 0,
    lists,
    summaries,
    manager,
    reported,
    traced,
    state,
    list: (query: ListQuery) => lists.value[listKey(query)],
    /** What a list shows, as plain rows. */
    shown: (query: ListQuery): RunSummary[] => [...state.rows(listKey(query)).rows],
    /** The clock is set ahead or back by so many ms; timers run on. */
    jump: (ms: number) => (jumped += ms),
    /** How many timers and listeners there are. */
    left: () => clock.pending + pageActivity.watchers,
  }
}

/** Rows without their place in the list, which is known only of rows that were read. */
export function facts(rows: readonly RunSummary[]) {
  return rows.map(({ cursor: _cursor, ...row }) => row)
}

/** A list that is observed, read and live. */
export async function observed(kit: ReturnType<typeof createListKit>, query: ListQuery) {
  const observation = kit.manager.observe(query)
  // Without a feed there is no join to wait for, and the first poll comes soon.
  await kit.clock.advance(kit.backend.openFeed ? moment : moment / 2)
  return observation
}
