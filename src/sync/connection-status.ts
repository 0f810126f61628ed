import type { ConnectionStatus } from '../model/entities.ts'

/** What decides how live a run that is being followed is. */
export interface Liveness {
  isOnline: boolean
  /** The last read failed. */
  hasFailed: boolean
  isJoined: boolean
  /** Something is known to be missing, or may be. */
  isBehind: boolean
  /** A channel is open and has not failed since it was last joined. */
  isJoining: boolean
  /** The channel has failed. */
  isDown: boolean
  /** A snapshot has come since the channel was last joined. */
  hasPolled: boolean
}

/** Says no more than is known: `live` only if nothing can be missing. */
export function statusOf(liveness: Liveness): ConnectionStatus {
  const { isOnline, hasFailed, isJoined, isBehind, isJoining, isDown, hasPolled } = liveness
  if (hasFailed || !isOnline) return 'offline'
  if (isJoined) return isBehind ? 'connecting' : 'live'
  if (isJoining) return 'connecting'
  if (hasPolled) return 'polling'
  return isDown ? 'offline' : 'connecting'
}
