/**
 * Hands out the channels that one socket may have for runs: `runs` says how many, and the feed of the
 * lists has one beside them. Who gets none is told when one is free again, in the order of asking.
 */
export class ChannelBudget {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(maxChannels: number) {
    this.#free = maxChannels
  }

  /** Takes a channel, or false: then `onFree` is called once when it is worth asking again. */
  take(onFree: () => void): boolean {
    if (this.#free > 0) {
      this.#free -= 1
      return true
    }
    this.#waiting.add(onFree)
    return false
  }

  /** Gives a channel back. */
  give(): void {
    this.#free += 1
    const [next] = this.#waiting
    if (!next) return
    this.#waiting.delete(next)
    next()
  }

  /** Nobody waits any more. */
  dispose(): void {
    this.#waiting.clear()
  }

  /** Stops waiting. */
  forget(onFree: () => void): void {
    this.#waiting.delete(onFree)
  }
}
