import { callSafely } from '../model/call-safely.ts'
import type { RunChange } from '../model/changes.ts'

/** Called with what happened to a run. */
export type RunChangeListener = (change: RunChange) => void

/**
 * Tells what happens to runs, once for each change and in order. Listeners are called when whatever
 * wrote the change has finished: they may start, remove or observe whatever they like.
 */
export class ChangeLog {
  readonly #listeners = new Set<RunChangeListener>()
  #queue: { change: RunChange; listeners: RunChangeListener[] }[] = []

  get isListening(): boolean {
    return this.#listeners.size > 0
  }

  /** Tells those who listen now. */
  push(change: RunChange): void {
    if (this.#listeners.size === 0) return
    this.#queue.push({ change, listeners: [...this.#listeners] })
    if (this.#queue.length === 1) queueMicrotask(() => this.#flush())
  }

  /** Listens until the returned function is called. */
  listen(listener: RunChangeListener): () => void {
    // Its own identity, so that the same function can listen twice.
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
