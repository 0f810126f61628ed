import { backoff } from '../model/scheduler.ts'

// All times are in ms.

/** While the browser reports that it is offline, which is only a hint. */
const whileOffline = 30_000
/** While the database refuses a resource that is shown. */
const whileRefused = 60_000
/** First and longest wait without Realtime, where polls are the only source of changes. */
const polled = [2_000, 15_000] as const
/** With Realtime, where a probe, one small request for all runs, finds lost broadcasts. */
const probed = [4_000, 20_000] as const
/** With Realtime, where only a snapshot finds them. */
const watched = [15_000, 60_000] as const

/** What decides how long to wait before the next poll. */
export interface PollState {
  /** Requests that failed since the last success. */
  failures: number
  isRefused: boolean
  isOffline: boolean
  /** Whether its channel is joined and not silent. */
  isReceiving: boolean
  /** Whether the poll is a probe. */
  isProbed: boolean
  /** Polls in a row that changed nothing. */
  unchanged: number
}

/**
 * How long to wait. It grows while nothing changes, and varies by a quarter, so that many clients do
 * not poll at the same time. Probes are only ever early: they limit how long a channel may be silent.
 */
export function pollDelay(state: PollState, random: () => number): number {
  if (state.isRefused) return whileRefused * (0.75 + random() / 4)
  if (state.isOffline) return whileOffline * (0.75 + random() / 4)
  if (state.failures > 0) return backoff(state.failures - 1, random)
  const [first, most] = state.isReceiving ? (state.isProbed ? probed : watched) : polled
  const wait = Math.min(most, first * 1.5 ** state.unchanged)
  return wait * (0.75 + random() / (state.isProbed ? 4 : 2))
}
