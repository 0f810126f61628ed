import { watch } from 'vue'

/**
 * How long after a change the inspector is refreshed, in ms. Vue devtools debounce the refreshes of
 * all plugins: with one more often than every 120 ms, none would happen.
 */
const refreshAfter = 400
/**
 * The waits for further refreshes without a change: devtools may have replaced ours by that of
 * another plugin, on a busy page several times.
 */
const repeatedAfter = [400, 800, 1600, 3200]

/** Calls `refresh` shortly after a change, and a few more times afterwards. */
export class LiveRefresh {
  readonly #state: () => unknown
  readonly #refresh: () => void
  #stopWatching: (() => void) | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #hasChanged = false
  /** How many times it was called since the last change. */
  #repeats = 0
  #isStopped = false

  constructor(state: () => unknown, refresh: () => void) {
    this.#state = state
    this.#refresh = refresh
    this.#watch()
  }

  /** Something has changed that is not in the state. */
  readonly touch = (): void => {
    if (this.#isStopped || this.#hasChanged) return
    this.#hasChanged = true
    // The next repetition may be far away.
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#wait(refreshAfter)
  }

  stop(): void {
    this.#isStopped = true
    this.#stopWatching?.()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** Watches for one change at a time: the state is compared once a refresh, not at each event. */
  #watch(): void {
    // Tables, rows and their fields, but not the contents of inputs and outputs.
    const options = { deep: 4, once: true, flush: 'sync' } as const
    this.#stopWatching = watch(
      this.#state,
      () => {
        this.#stopWatching = null
        this.touch()
      },
      options,
    )
  }

  #wait(delay: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#repeats = this.#hasChanged ? 0 : this.#repeats + 1
      this.#hasChanged = false
      if (!this.#stopWatching) this.#watch()
      this.#refresh()
      const next = repeatedAfter[this.#repeats]
      if (next !== undefined) this.#wait(next)
    }, delay)
  }
}
