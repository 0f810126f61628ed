import { callSafely } from '../model/call-safely.ts'
import type { RunChange } from '../model/changes.ts'

/** Called with a change of a run. */
export type RunChangeListener = (change: RunChange) => void

/**
 * Emits the changes of runs, once each and in order. Listeners are called after the write that
 * caused the change is complete: they may start, remove or observe runs.
 */
export function createChangeLog() {
  const listeners = new Set<RunChangeListener>()
  let queue: { change: RunChange; to: RunChangeListener[] }[] = []

  function flush(): void {
    const emitted = queue
    queue = []
    for (const { change, to } of emitted) {
      for (const listener of to) {
        if (listeners.has(listener)) callSafely(() => listener(change))
      }
    }
  }

  return {
    isListening: () => listeners.size > 0,
    /** Calls the current listeners. */
    push: (change: RunChange): void => {
      if (listeners.size === 0) return
      queue.push({ change, to: [...listeners] })
      if (queue.length === 1) queueMicrotask(flush)
    },
    /** Adds a listener, until the returned function is called. */
    listen(listener: RunChangeListener): () => void {
      // A wrapper, so that the same function can be added twice.
      const own: RunChangeListener = (change) => listener(change)
      listeners.add(own)
      return () => listeners.delete(own)
    },
  }
}
