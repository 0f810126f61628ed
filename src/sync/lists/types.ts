import type { PgflowError } from '../../errors.ts'
import type { ListQuery, RunList, RunSummary } from '../../model/entities.ts'
import type { ListRows } from '../../model/run-list.ts'
import type { Scheduler } from '../../model/scheduler.ts'
import type { ListTransport, RunTransport } from '../../transport/types.ts'
import type { SeqProbe } from '../seq-probe.ts'
import type { Trace } from '../trace.ts'
import type { SyncTimes } from '../types.ts'
import type { PageActivity } from '../page-activity.ts'

/** The part of the store that the sync of lists writes. */
export interface ListState {
  /** Whether a list is held, also if a server has rendered it. */
  holds: (key: string) => boolean
  /** What a list shows; empty if it is not held. */
  rows: (key: string) => ListRows
  /** What is held of a run in any list. */
  summary: (runId: string) => RunSummary | undefined
  /** Writes the rows of a list, and drops runs that no list shows any more; true if anything differed. */
  write: (key: string, list: ListRows) => boolean
  setState: (key: string, state: Pick<RunList, 'connection' | 'isLoading'>) => void
  /** The list is not followed any more. One that was refused stays `closed`. */
  setIdle: (key: string) => void
  /** Drops a list, and the runs that no other list shows. */
  forget: (key: string) => void
  /** A run that is held with a higher seq is wrong: the next update counts as newer. */
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
  /** Rendering on a server: every list is read once, and no timer or channel is left. */
  isServer: boolean
  /** Called with every failure that no caller waits for. */
  report: (error: PgflowError) => void
  /** Called with each step of the sync; only in development. */
  trace?: Trace | undefined
  /** Requests the seq of all followed runs, also those in lists. */
  probe: SeqProbe
}

/** The key of a list in the store. Equal queries have the same key, different ones do not. */
export function listKey({ flow, status, pageSize }: ListQuery): string {
  return JSON.stringify([flow, status, pageSize])
}
