import type { PgflowError } from '../errors.ts'
import type { ConnectionStatus } from '../model/entities.ts'
import type { Subscription } from './subscription.ts'

/**
 * ```
 *         open                     it has ended, and all of it is known
 *  idle ────────▶ following ─────────────────────────────▶ ended
 *    ▲              │  ▲ ▲                                    │
 *    │              │  │ └──────── a read says it goes on ────┘
 *    │      refused │  │ answered: after a new token, a wake, a refresh, a slow poll
 *    │              ▼  │
 *    │             refused
 *    └── dispose, from each of them
 * ```
 *
 * What has ended when it is opened goes from `idle` to `ended` at once.
 *
 * - `idle`: nobody observes it.
 * - `following`: it is kept true.
 * - `ended`: it has ended, and all of it is known.
 * - `refused`: the database does not let this caller read it.
 */
export type Phase = 'idle' | 'following' | 'ended' | 'refused'

/** What is known of how true a resource is; the only place where its status is derived. */
export class Health {
  /** Something may be missing: joined anew, a gap, a message that held too little. */
  needsSnapshot = true
  /** Why the last request failed. */
  error: PgflowError | null = null
  /** A read has succeeded since the channel went down: polling works. */
  hasPolled = false
  /** The channel has gone down since it was last joined. */
  isLost = false
  /** The database is ahead of what was heard: a read is due, unless that comes. */
  isSuspected = false
  /** Nothing was heard since it is suspected. */
  isUnheard = false
  /** The network has worked since the browser last said that there is none. */
  isOverruled = false
  /** Nothing has changed for long. */
  isStalled = false

  /** Nothing is followed any more. */
  reset(): void {
    this.hasPolled = false
    this.isLost = false
    this.isSuspected = false
    this.error = null
  }

  /** Says no more than is known: `live` only if nothing can be missing. */
  status(phase: Phase, subscription: Subscription, isOffline: boolean): ConnectionStatus {
    if (phase === 'idle') return 'idle'
    if (phase !== 'following') return 'closed'
    const { isJoined, isOpen, isDown, isSilent } = subscription
    if (this.error || isOffline) return 'offline'
    if (isJoined && isSilent) return 'polling'
    if (isJoined) return this.needsSnapshot ? 'connecting' : 'live'
    if (isOpen && !isDown) return 'connecting'
    if (this.hasPolled) return 'polling'
    return isDown ? 'offline' : 'connecting'
  }

  /** Why it is not live, as far as that is to be shown. */
  shownError(subscription: Subscription): PgflowError | null {
    return this.error ?? subscription.error
  }
}
