import type { PgflowError } from '../../errors.ts'
import type { ListQuery, RunList, RunSummary } from '../../model/entities.ts'
import type { ListRows } from '../../model/run-list.ts'
import type { Scheduler } from '../../model/scheduler.ts'
import type { ListTransport, RunTransport } from '../../transport/types.ts'
import type { SeqProbe } from '../seq-probe.ts'
import type { Trace } from '../trace.ts'
import type { SyncTimes } from '../types.ts'
import type { PageActivity } from '../page-activity.ts'

/** What the sync writes of lists: the store, seen from below. */
export interface ListState {
  /** Whether a list is held, be it from a server. */
  holds: (key: string) => boolean
  /** What a list shows; empty if it is not held. */
  rows: (key: string) => ListRows
  /** What is held of a run in any list. */
  summary: (runId: string) => RunSummary | undefined
  /** Shows these rows, and drops what no list shows any more; says whether anything differed. */
  write: (key: string, list: ListRows) => boolean
  setState: (key: string, state: Pick<RunList, 'connection' | 'isLoading'>) => void
  /** Nothing keeps the list true any more; one that was refused stays so. */
  setIdle: (key: string) => void
  /** Drops a list, and the runs that no other list shows. */
  forget: (key: string) => void
  /** A run that is shown at a seq above this one is shown wrong: whatever comes next is newer. */
  forgetAbove: (runId: string, seq: number) => void
  /** Drops all lists and their runs. */
  clear: () => void
}

/** Everything the sync of lists needs from outside. */
export interface ListContext {
  transport: ListTransport & Pick<RunTransport, 'fetchSeqs'>
  scheduler: Scheduler
  pageActivity: PageActivity
  state: ListState
  times: Pick<SyncTimes, 'snapshotTimeout' | 'gcTime'>
  /** Without channels there is no feed. */
  maxChannels: number
  /** Rendering on a server: every list is read once, and nothing is left behind. */
  isServer: boolean
  /** Told of every failure that no caller is waiting for. */
  report: (error: PgflowError) => void
  /** Told of each thing that the sync does; only in development. */
  trace?: Trace | undefined
  /** Asks for the seq of all that is followed, runs and lists. */
  probe: SeqProbe
}

/** The key of a list in the store: lists of equal queries are one, and no others. */
export function listKey({ flow, status, pageSize }: ListQuery): string {
  return JSON.stringify([flow, status, pageSize])
}
