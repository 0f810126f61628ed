import { watch } from 'vue'

/**
 * How long after a change the inspector is refreshed, in ms. Vue devtools gather the refreshes of
 * all plugins: what comes more often than every 120 ms is put off for ever.
 */
const refreshAfter = 400

/**
 * Calls `refresh` a little after something has changed, and once more when nothing does any more, as
 * another plugin's refresh may have taken the place of ours.
 */
export class LiveRefresh {
  readonly #state: () => unknown
  readonly #refresh: () => void
  #stopWatching: (() => void) | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #hasChanged = false
  #isStopped = false

  constructor(state: () => unknown, refresh: () => void) {
    this.#state = state
    this.#refresh = refresh
    this.#watch()
  }

  /** Something has changed that the state does not tell. */
  readonly touch = (): void => {
    this.#hasChanged = true
    if (this.#timer === null && !this.#isStopped) this.#wait()
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

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#timer = null
      const isLast = !this.#hasChanged
      this.#hasChanged = false
      if (!this.#stopWatching) this.#watch()
      this.#refresh()
      if (!isLast) this.#wait()
    }, refreshAfter)
  }
}
