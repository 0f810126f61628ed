import { backoff } from '../model/scheduler.ts'

/** What decides how long to wait before a run is asked for again. */
export interface Silence {
  /** Requests that failed since the last answer. */
  failures: number
  /** Whether broadcasts should be arriving. */
  isLive: boolean
  /** Answers in a row that said nothing new. */
  unchanged: number
}

/** The first wait of a run that is live, in ms: for silent loss only, so not in a hurry. */
const watchFirst = 15_000
const watchMost = 60_000
/** The first wait of a run without Realtime: people are looking at it. */
const pollFirst = 2_000
const pollMost = 15_000

/**
 * How long to wait, in ms. It grows while nothing is new, and starts over when something is; ± 25 %
 * so that many clients do not ask in step.
 */
export function patience(silence: Silence, random: () => number): number {
  if (silence.failures > 0) return backoff(silence.failures - 1, random)
  const [first, most] = silence.isLive ? [watchFirst, watchMost] : [pollFirst, pollMost]
  return Math.min(most, first * 1.5 ** silence.unchanged) * (0.75 + random() / 2)
}
