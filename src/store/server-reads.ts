import { toPgflowError, type PlainError } from '../errors.ts'
import type { ConnectionStatus } from '../model/entities.ts'

/** What is left in the state of a read that failed. */
export interface FailedRead {
  status: Extract<ConnectionStatus, 'idle' | 'closed'>
  error: PlainError
}

/**
 * The reads of a page that a server renders: each run and each list is asked for once, however many
 * components show it, and whatever comes of it. Why one failed is kept: it is in the HTML, and in
 * the state for the browser.
 */
export function createServerReads() {
  const reads = new Map<string, Promise<void>>()

  return {
    /**
     * Reads the run of an id or the list of a key, unless it was asked for before.
     * @param keepFailure - writes into the state why it failed.
     * @throws PgflowError
     */
    once(
      key: string,
      read: () => Promise<void>,
      keepFailure: (failed: FailedRead) => void,
    ): Promise<void> {
      const begin = () =>
        read().catch((thrown: unknown) => {
          const failure = toPgflowError(thrown)
          const mayPass = failure.isTransient || failure.code === 'server_error'
          keepFailure({ status: mayPass ? 'idle' : 'closed', error: failure.toJSON() })
          throw thrown
        })
      const reading = reads.get(key) ?? begin()
      reads.set(key, reading)
      return reading
    },
    /** Everything may be asked for again. */
    reset: () => reads.clear(),
  }
}
