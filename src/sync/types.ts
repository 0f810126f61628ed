import type { PgflowError } from '../errors.ts'
import type { Json, PgflowRun, RunConnection, RunSnapshot } from '../model/entities.ts'
import type { EventOutcome, SnapshotOutcome } from '../model/merge.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { RunEvent } from '../model/wire.ts'
import type { RunTransport } from '../transport/types.ts'
import type { ChannelBudget } from './run-channel-budget.ts'
import type { SeqProbe } from './seq-probe.ts'
import type { SnapshotBatch } from './snapshot-batch.ts'
import type { Trace } from './trace.ts'
import type { PageActivity } from './page-activity.ts'

/** What the sync writes of runs: the store, seen from below. */
export interface RunState {
  /** The run, if it is held. */
  run(runId: string): Readonly<PgflowRun> | undefined
  /** The last broadcast that is part of what is held of a run; see `HeldRun`. */
  seq(runId: string): number | null
  /** Shows a run that is being started. A run that is already held stays as it is. */
  begin(runId: string, flowSlug: string, input: Json): void
  /** Merges a broadcast into a run that is held; stale if it is not. */
  applyEvent(event: RunEvent): EventOutcome
  /**
   * Merges a snapshot, whether the run is held or not; says whether it changed anything.
   * @param updates - broadcasts that came since it was asked for: applied again where newer.
   * @param seqAtRequest - a snapshot that is older is stale; null if none is.
   */
  applySnapshot(
    snapshot: RunSnapshot,
    updates: readonly RunEvent[],
    seqAtRequest: number | null,
  ): AppliedSnapshot
  connection(runId: string): Readonly<RunConnection> | undefined
  setConnection(runId: string, patch: Partial<RunConnection>): void
  /** Nothing is in doubt: emits what has changed to whoever listens. */
  emitChanges(runId: string): void
  /** Drops everything that is held of a run. */
  forget(runId: string): void
  /** Drops everything that is held of any run. */
  clear(): void
}

/** What became of a snapshot. */
export type AppliedSnapshot =
  | Extract<SnapshotOutcome, { kind: 'stale' }>
  | (Extract<SnapshotOutcome, { kind: 'replace' }> & { hasChanged: boolean })

/** How long things may take, in ms. */
export interface SyncTimes {
  /** A start, with its repetitions. */
  startTimeout: number
  /** One snapshot. */
  snapshotTimeout: number
  /** How long a channel outlives its last observer. */
  gcTime: number
  /** How long nothing may change before a run counts as stalled. */
  stallAfter: number
}

/** Everything the sync of runs needs from outside. */
export interface SyncContext {
  transport: RunTransport
  scheduler: Scheduler
  pageActivity: PageActivity
  state: RunState
  times: SyncTimes
  /** The most channels that may be open at once; runs past that are polled. */
  maxChannels: number
  /** Rendering on a server: every read is asked once, and nothing is left behind. */
  isServer: boolean
  /** Told of every failure that no caller is waiting for. */
  report: (error: PgflowError) => void
  /** Told of each thing that the sync does; only in development. */
  trace?: Trace | undefined
  /** Asks for the seq of all that is followed, runs and lists. */
  probe: SeqProbe
}

/** What the runs share with each other. */
export interface RunContext extends SyncContext {
  batch: SnapshotBatch
  budget: ChannelBudget
}
