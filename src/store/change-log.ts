import { callSafely } from '../model/call-safely.ts'
import type { RunChange } from '../model/changes.ts'

/** Called with a change of a run. */
export type RunChangeListener = (change: RunChange) => void

/**
 * Emits the changes of runs, once each and in order. Listeners are called after the write that
 * caused the change is complete: they may start, remove or observe runs.
 */
export class ChangeLog {
  readonly #listeners = new Set<RunChangeListener>()
  #queue: { change: RunChange; listeners: RunChangeListener[] }[] = []

  get isListening(): boolean {
    return this.#listeners.size > 0
  }

  /** Calls the current listeners. */
  push(change: RunChange): void {
    if (this.#listeners.size === 0) return
    this.#queue.push({ change, listeners: [...this.#listeners] })
    if (this.#queue.length === 1) queueMicrotask(() => this.#flush())
  }

  /** Adds a listener, until the returned function is called. */
  listen(listener: RunChangeListener): () => void {
    // A wrapper, so that the same function can be added twice.
    const own: RunChangeListener = (change) => listener(change)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  #flush(): void {
    const queue = this.#queue
    this.#queue = []
    for (const { change, listeners } of queue) {
      for (const listener of listeners) {
        if (this.#listeners.has(listener)) callSafely(() => listener(change))
      }
    }
  }
}
