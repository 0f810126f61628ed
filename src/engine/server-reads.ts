import { toPgflowError } from '../errors.ts'
import type { RunState } from '../sync/types.ts'

/**
 * The reads of a page that a server renders: each run and each list is asked for once, however many
 * components show it, and whatever comes of it.
 */
export function createServerReads(state: RunState) {
  const reads = new Map<string, Promise<void>>()

  return {
    /** Reads what `key` names, unless it was asked for before. */
    once(key: string, read: () => Promise<void>): Promise<void> {
      const reading = reads.get(key) ?? read()
      reads.set(key, reading)
      return reading
    },
    /** Keeps why a run could not be read: it is in the HTML, and in the state for the browser. */
    keepFailure(runId: string, thrown: unknown): void {
      const error = toPgflowError(thrown)
      const isOver = !error.isTransient && error.code !== 'server_error'
      state.setConnection(runId, { status: isOver ? 'closed' : 'idle', error: error.toJSON() })
    },
    /** Everything may be asked for again. */
    reset: () => reads.clear(),
  }
}
