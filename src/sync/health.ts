import type { PgflowError } from '../errors.ts'
import type { ConnectionStatus } from '../model/entities.ts'
import type { Subscription } from './subscription.ts'

/**
 * ```
 *         open                     it has ended, and all of it is held
 *  idle ────────▶ following ─────────────────────────────▶ ended
 *    ▲              │  ▲ ▲                                    │
 *    │              │  │ └──── a snapshot shows it running ───┘
 *    │      refused │  │ read again: after a new token, a wake, a refresh, a slow poll
 *    │              ▼  │
 *    │             refused
 *    └── dispose, from each of them
 * ```
 *
 * A run that has ended when it is opened goes from `idle` to `ended` at once.
 *
 * - `idle`: nobody observes it.
 * - `following`: it is kept up to date.
 * - `ended`: it has ended, and all of it is held.
 * - `refused`: the database does not let this caller read it.
 */
export type Phase = 'idle' | 'following' | 'ended' | 'refused'

/** How far the state of a resource can be trusted. Its connection status is derived only here. */
export class Health {
  /** Something may be missing: the channel was joined again, or a broadcast was lost or incomplete. */
  needsSnapshot = true
  /** Why the last request failed. */
  error: PgflowError | null = null
  /** A request has succeeded since the channel went down: polling works. */
  hasPolled = false
  /** The channel has gone down since it was last joined. */
  isLost = false
  /** A probe found the database ahead: a request follows, unless the broadcast arrives in time. */
  isSuspected = false
  /** Nothing was received on the channel since that probe. */
  isUnreceived = false
  /** The network has worked since the browser last reported that it is offline. */
  isOverruled = false
  /** Nothing has changed for `stallAfter`. */
  isStalled = false

  /** The resource is not followed any more. */
  reset(): void {
    this.hasPolled = false
    this.isLost = false
    this.isSuspected = false
    this.error = null
  }

  /** The connection status: `live` only if nothing can be missing. */
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

  /** The error to show beside the status. */
  shownError(subscription: Subscription): PgflowError | null {
    return this.error ?? subscription.error
  }
}
