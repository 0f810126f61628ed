import { backoff } from '../model/scheduler.ts'

// All times are in ms.

/** While the browser says that there is no network: its word is only a hint. */
const whileOffline = 30_000
/** While the database refuses what it has shown before. */
const whileRefused = 60_000
/** First and longest wait without Realtime: people are looking at it. */
const polled = [2_000, 15_000] as const
/** With Realtime, where one small request for all finds lost broadcasts. */
const probed = [4_000, 20_000] as const
/** With Realtime, where only a whole read finds them. */
const watched = [15_000, 60_000] as const

/** What decides how long to wait before asking again. */
export interface PollState {
  /** Requests that failed since the last answer. */
  failures: number
  isRefused: boolean
  isOffline: boolean
  /** Whether a channel is joined, and not known to be silent. */
  isHearing: boolean
  /** Whether asking means a probe. */
  isProbed: boolean
  /** Answers in a row without news. */
  unchanged: number
}

/**
 * How long to wait. It grows while nothing is new, and varies by a quarter, so that many clients do
 * not ask in step. Probes are never late, only early: they decide how long a channel may be deaf.
 */
export function pollDelay(state: PollState, random: () => number): number {
  if (state.isRefused) return whileRefused * (0.75 + random() / 4)
  if (state.isOffline) return whileOffline * (0.75 + random() / 4)
  if (state.failures > 0) return backoff(state.failures - 1, random)
  const [first, most] = state.isHearing ? (state.isProbed ? probed : watched) : polled
  const wait = Math.min(most, first * 1.5 ** state.unchanged)
  return wait * (0.75 + random() / (state.isProbed ? 4 : 2))
}
