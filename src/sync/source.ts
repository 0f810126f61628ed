import type { PgflowError } from '../errors.ts'
import type { ConnectionStatus } from '../model/entities.ts'
import type { Fetch } from './fetcher.ts'

/** The result of merging an update. */
export interface Merged {
  /** Something was missed, and only a snapshot contains it. */
  needsSnapshot: boolean
  /** The seq shows that a broadcast is missing. */
  isGap: boolean
  /** A broadcast lost before this one would have shown as a gap. */
  showsGaps?: boolean
}

/** The result of merging a snapshot. */
export interface MergedSnapshot extends Merged {
  /** It changed something. */
  isNews: boolean
  /** It contains a change that should have been broadcast and was not received. */
  isMissed: boolean
  /** It is older than what was held when it was requested. */
  isOutdated: boolean
}

/** What the store shows of a resource besides its rows. */
export interface ResourceState {
  status: ConnectionStatus
  error: PgflowError | null
  /** A caller waits for a request. */
  isAwaited: boolean
  isStalled: boolean
}

/** What differs between a run and a list: how it is read, merged and shown. */
export interface Source<Snapshot, Update> {
  /** The id of the run, or the key of the list. */
  readonly key: string
  /** Whether the store holds a state that was read from the database. */
  readonly isShown: boolean
  /** Whether nothing is worth keeping for the next observer. */
  readonly isNothing: boolean
  /** Whether it has ended, and a snapshot has confirmed that where necessary. */
  readonly isFinal: boolean
  /** Whether it has ended according to broadcasts only. */
  readonly isUnconfirmed: boolean
  /** Whether rows are missing at the end of a list. */
  readonly isShort: boolean
  /** The longest time between two snapshots, in ms: a probe does not find everything. */
  readonly readInterval: number
  /** The longest time between two requests caused by broadcasts, in ms; see `DoubtLimiter`. */
  readonly doubtInterval: number
  /** Settles when the starts under way have succeeded or failed; null while there are none. */
  readonly starting: Promise<void> | null
  /**
   * Requests a snapshot, and calls `onSent` when the request is sent. Its timeout runs from then on.
   * @throws PgflowError
   */
  fetch(fetch: Fetch<Update>, signal: AbortSignal, onSent: () => void): Promise<Snapshot>
  /** A request is sent. */
  onSent(): void
  /** Merges an update; null if it is stale, or if there is nothing to merge it into yet. */
  receive(update: Update, isReadingRest: boolean): Merged | null
  /**
   * Merges a snapshot, and applies again the updates received since it was requested; null if it is
   * outdated and was dropped.
   * @param trustsDatabase - snapshots have looked outdated for so long that they are accepted.
   * @throws PgflowError if the snapshot cannot be right.
   */
  merge(snapshot: Snapshot, fetch: Fetch<Update>, trustsDatabase: boolean): MergedSnapshot | null
  /** The runs that a probe has to check; empty where only a snapshot helps. */
  probedIds(isReceiving: boolean): readonly string[]
  /**
   * Whether the database is ahead of what is held.
   * @param seqs - the seq of each run that was asked for; null if the caller may not read it.
   */
  isBehind(seqs: ReadonlyMap<string, number | null>): boolean
  /** Adds what the failure is about. */
  explain(error: PgflowError): PgflowError
  /** The database refuses it, and the refusal is not expected to pass. */
  onRefused(error: PgflowError): void
  show(state: ResourceState): void
  /** A snapshot was merged while idle: clears an old error, and `closed` if the run is running. */
  readUnfollowed(): void
  /** The last observer has left. */
  drop(): void
  /** Drops everything that the store holds of it. */
  forget(): void
}
