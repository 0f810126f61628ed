import type { PgflowError } from '../errors.ts'
import type { ConnectionStatus } from '../model/entities.ts'
import type { Fetch } from './fetcher.ts'

/** What merging came to. */
export interface Merged {
  /** Only a snapshot can tell what was missed. */
  needsSnapshot: boolean
  /** A broadcast is known to be missing. */
  isGap: boolean
  /** Rows are missing at the end of a list. */
  needsRest?: boolean
  /** A broadcast lost before this one would have shown as a gap: while some are heard, none is. */
  showsGaps?: boolean
}

/** What merging an answer came to. */
export interface Settled extends Merged {
  /** It changed something. */
  isNews: boolean
  /** It holds something that should have been heard. */
  isMissed: boolean
  /** It is older than what was known when it was asked for. */
  isOutdated: boolean
}

/** What people see of a resource besides its rows. */
export interface ResourceState {
  status: ConnectionStatus
  error: PgflowError | null
  /** A caller waits for an answer. */
  isAwaited: boolean
  isStalled: boolean
}

/** What differs between a run and a list: how it is read, merged and shown. */
export interface Source<Answer, Update> {
  /** The id of the run, or the key of the list. */
  readonly key: string
  /** Whether the store holds what the database has said. */
  readonly isShown: boolean
  /** Whether nothing is worth keeping for the next observer. */
  readonly isNothing: boolean
  /** Whether it has ended, all of it is held, and a snapshot has confirmed it. */
  readonly isSettled: boolean
  /** Whether it seems to have ended, and only a broadcast has said so. */
  readonly isUnconfirmed: boolean
  /** The longest time between two whole reads, in ms: a probe cannot tell everything. */
  readonly readInterval: number
  /** The longest time between two reads for doubt while doubts go on, in ms. */
  readonly doubtInterval: number
  /** Settles when the starts under way have their answers; null while there are none. */
  readonly starting: Promise<void> | null
  /**
   * Sends a read, and calls `onSent` when it goes out. It has a deadline of its own, from then on.
   * @throws PgflowError
   */
  fetch(fetch: Fetch<Update>, signal: AbortSignal, onSent: () => void): Promise<Answer>
  /** A request goes out. */
  onSent(): void
  /** Merges a broadcast; null if it is stale, or there is nothing to merge it into yet. */
  receive(update: Update, isReadingRest: boolean): Merged | null
  /**
   * Merges an answer, and applies again what was heard since it was asked for; null if it is outdated,
   * and nothing of it was taken.
   * @param trustsDatabase - the answer cannot be outdated, or such answers have come for too long.
   * @throws PgflowError for an answer that cannot be.
   */
  settle(answer: Answer, fetch: Fetch<Update>, trustsDatabase: boolean): Settled | null
  /** The runs that a probe has to ask for; none where only a read helps. */
  probedIds(isHearing: boolean): readonly string[]
  /** Whether the database is ahead of what is held. */
  isBehind(seqs: ReadonlyMap<string, number>): boolean
  /** Adds what the failure is about. */
  explain(error: PgflowError): PgflowError
  /** The database has refused it for good. */
  onRefused(error: PgflowError): void
  show(state: ResourceState): void
  /** A read that nobody follows was answered: an old error goes, and what goes on is not closed. */
  readUnfollowed(): void
  /** Nobody observes it any more. */
  drop(): void
  /** Drops all that is held of it. */
  forget(): void
}
