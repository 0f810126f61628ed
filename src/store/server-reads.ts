import { toPgflowError, type PlainError } from '../errors.ts'
import type { ConnectionStatus } from '../model/entities.ts'

/** The error that a failed request leaves in the state. */
export interface FailedRead {
  status: Extract<ConnectionStatus, 'idle' | 'closed'>
  error: PlainError
}

/**
 * The requests of a page that a server renders. Each run and each list is read once, however many
 * components show it, and whether the request fails or not. Why one failed is in the HTML, and in
 * the state for the browser.
 */
export function createServerReads() {
  const reads = new Map<string, Promise<void>>()

  return {
    /**
     * Reads the run of an id or the list of a key, unless it was read before.
     * @param keepFailure - writes the error into the state.
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
    /** Allows everything to be read again. */
    reset: () => reads.clear(),
  }
}
