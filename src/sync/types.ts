import type { PgflowError } from '../errors.ts'
import type { Json, RunConnection, RunSnapshot } from '../model/entities.ts'
import type { EventOutcome, RunView, SnapshotOutcome } from '../model/merge.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { RunEvent } from '../model/wire.ts'
import type { RunTransport } from '../transport/types.ts'
import type { ChannelBudget } from './channel-budget.ts'
import type { SnapshotBatch } from './snapshot-batch.ts'
import type { Surroundings } from './wake.ts'

/** Where the sync puts what it learns: the store, seen from below. */
export interface RunSink {
  /** What is held of a run, if anything. */
  view(runId: string): RunView | undefined
  /** Shows a run that is being started. A run that is already held stays as it is. */
  begin(runId: string, flowSlug: string, input: Json): void
  /** Merges a broadcast into a run that is held. */
  applyEvent(event: RunEvent): EventOutcome
  /** Merges a snapshot, whether the run is held or not; says whether it told anything new. */
  applySnapshot(
    snapshot: RunSnapshot,
    since: readonly RunEvent[],
    floor: number | null,
  ): SnapshotOutcome & { hasChanged: boolean }
  connection(runId: string): Readonly<RunConnection> | undefined
  setConnection(runId: string, patch: Partial<RunConnection>): void
  /** Nothing is in doubt: whoever listens is told of what has changed. */
  tell(runId: string): void
  /** Drops everything that is held of a run. */
  forget(runId: string): void
}

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

/** Everything the sync needs from outside. */
export interface SyncContext {
  transport: RunTransport
  scheduler: Scheduler
  surroundings: Surroundings
  sink: RunSink
  times: SyncTimes
  /** The most channels that may be open at once; runs past that are polled. */
  maxChannels: number
  /** Rendering on a server: every read is asked once, and nothing is left behind. */
  isServer: boolean
  /** Told of every failure that no caller is waiting for. */
  report(error: PgflowError): void
}

/** What the sync of one run shares with the others. */
export interface RunSyncContext extends SyncContext {
  batch: SnapshotBatch
  budget: ChannelBudget
}
