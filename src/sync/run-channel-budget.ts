/**
 * Limits how many channels for runs are open on one socket. `runs` sets the limit and leaves one
 * channel for the feed of the lists. A caller that gets none is called back when one is free.
 */
export class RunChannelBudget {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(maxChannels: number) {
    this.#free = maxChannels
  }

  /** Whether a channel was taken. If not, `onFree` is called once when one is free. */
  take(onFree: () => void): boolean {
    if (this.#free > 0) {
      this.#free -= 1
      return true
    }
    this.#waiting.add(onFree)
    return false
  }

  /** Returns a channel. */
  give(): void {
    this.#free += 1
    const [next] = this.#waiting
    if (!next) return
    this.#waiting.delete(next)
    next()
  }

  /** Drops all callbacks. */
  dispose(): void {
    this.#waiting.clear()
  }

  /** Drops one callback. */
  forget(onFree: () => void): void {
    this.#waiting.delete(onFree)
  }
}
