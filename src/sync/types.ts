import type { PgflowError } from '../errors.ts'
import type { Json, PgflowRun, RunConnection, RunSnapshot } from '../model/entities.ts'
import type { EventOutcome, SnapshotOutcome } from '../model/merge.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { RunEvent } from '../model/wire.ts'
import type { RunTransport } from '../transport/types.ts'
import type { RunChannelBudget } from './run-channel-budget.ts'
import type { SeqProbe } from './seq-probe.ts'
import type { SnapshotBatch } from './snapshot-batch.ts'
import type { Trace } from './trace.ts'
import type { PageActivity } from './page-activity.ts'

/** The part of the store that the sync of runs writes. */
export interface RunState {
  /** The run, if it is held. */
  run(runId: string): Readonly<PgflowRun> | undefined
  /** The seq of the last event that is part of what is held of a run; see `HeldRun`. */
  seq(runId: string): number | null
  /** Shows a run that is being started. A run that is held already stays as it is. */
  begin(runId: string, flowSlug: string, input: Json): void
  /** Merges an event into a run that is held; stale if it is not. */
  applyEvent(event: RunEvent): EventOutcome
  /**
   * Merges a snapshot, whether the run is held or not; returns whether it changed anything.
   * @param updates - events received since it was requested: applied again where newer.
   * @param oldestAccepted - a snapshot with a lower seq is stale; null if none is.
   */
  applySnapshot(
    snapshot: RunSnapshot,
    updates: readonly RunEvent[],
    oldestAccepted: number | null,
  ): AppliedSnapshot
  connection(runId: string): Readonly<RunConnection> | undefined
  setConnection(runId: string, patch: Partial<RunConnection>): void
  /** Emits the changes of a run, once they are certain. */
  emitChanges(runId: string): void
  /** Drops everything that is held of a run. */
  forget(runId: string): void
  /** Drops everything that is held of any run. */
  clear(): void
}

/** The result of merging a snapshot into the store. */
export type AppliedSnapshot =
  | Extract<SnapshotOutcome, { kind: 'stale' }>
  | (Extract<SnapshotOutcome, { kind: 'replace' }> & { hasChanged: boolean })

/** How long things may take, in ms. */
export interface SyncTimes {
  /** A start, with its retries. */
  startTimeout: number
  /** The request of one snapshot. */
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
  /** The most channels that may be open at once. Runs beyond that are polled. */
  maxChannels: number
  /** Rendering on a server: every request is sent once, and no timer or channel is left. */
  isServer: boolean
  /** Called with every failure that no caller waits for. */
  report: (error: PgflowError) => void
  /** Called with each step of the sync; only in development. */
  trace?: Trace | undefined
  /** Requests the seq of all followed runs, also those in lists. */
  probe: SeqProbe
}

/** What all runs share. */
export interface RunContext extends SyncContext {
  batch: SnapshotBatch
  budget: RunChannelBudget
}
