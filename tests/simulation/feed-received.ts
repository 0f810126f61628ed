import { isTerminal } from '../../src/model/entities.ts'
import type { Message } from '../../src/testing/rows.ts'
import { textOf } from './projection.ts'

/**
 * For how long an update of a run counts more than a snapshot without it, in ms by the clock of the
 * device: if that jumps ahead, it is not known that the update is recent.
 */
const remembered = 29_000

/** The ends of runs that the feed of a user has sent. */
export class FeedReceived {
  readonly #ends = new Map<string, number>()

  /** A message came that can be read. */
  add({ payload }: Message, now: number): void {
    const runId = textOf(payload.run_id)
    if (isTerminal(textOf(payload.status))) this.#ends.set(runId, now)
  }

  /** The feed is left, or everything is forgotten. */
  clear(): void {
    this.#ends.clear()
  }

  /** Whether the end of a run was received so recently that no list may show it as running. */
  hasEnded(runId: string, now: number): boolean {
    return (this.#ends.get(runId) ?? -Infinity) > now - remembered
  }
}
