import { isTerminal } from '../../src/model/entities.ts'
import type { Message } from '../../src/testing/rows.ts'
import { textOf } from './projection.ts'

/**
 * For how long what was heard of a run counts more than an answer that says otherwise, in ms by the
 * clock of the device: if that jumps ahead, nothing tells that it was heard a moment ago.
 */
const remembered = 29_000

/** What the feed of a user has told of runs that have ended. */
export class FeedHearing {
  readonly #ends = new Map<string, number>()

  /** A message came that can be read. */
  hear({ payload }: Message, now: number): void {
    const runId = textOf(payload.run_id)
    if (isTerminal(textOf(payload.status))) this.#ends.set(runId, now)
  }

  /** The feed is left, or everything is forgotten. */
  clear(): void {
    this.#ends.clear()
  }

  /** Whether the end of a run was heard so lately that no list may show it as going on. */
  hasEnded(runId: string, now: number): boolean {
    return (this.#ends.get(runId) ?? -Infinity) > now - remembered
  }
}
