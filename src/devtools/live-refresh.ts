import { watch } from 'vue'

/**
 * How long after a change the inspector is refreshed, in ms. Vue devtools gather the refreshes of
 * all plugins: what comes more often than every 120 ms is put off for ever.
 */
const refreshAfter = 400
/**
 * The same when nothing changes any more: the refresh of another plugin may have taken the place of
 * ours, on a busy page several times.
 */
const repeatedAfter = [400, 800, 1600, 3200]

/** Calls `refresh` a little after something has changed, and some times more when nothing does. */
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

  /** Something has changed that the state does not tell. */
  readonly touch = (): void => {
    if (this.#isStopped || this.#hasChanged) return
    this.#hasChanged = true
    // A repetition may be far away.
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#wait(refreshAfter)
  }

  stop(): void {
    this.#isStopped = true
    this.#stopWatching?.()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** Watches for one change: a busy run is looked through once a refresh and not at each broadcast. */
  #watch(): void {
    // Tables, rows and their fields, but not what is inside of inputs and outputs.
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
