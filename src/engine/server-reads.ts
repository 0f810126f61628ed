import type { Ref } from 'vue'
import { toPgflowError } from '../errors.ts'
import type { RunList } from '../model/entities.ts'
import { ownValue } from '../model/own-value.ts'
import type { RunState } from '../sync/types.ts'

/**
 * The reads of a page that a server renders: each run and each list is asked for once, however many
 * components show it, and whatever comes of it. Why one failed is kept: it is in the HTML, and in
 * the state for the browser.
 */
export function createServerReads(runs: RunState, lists: Ref<Record<string, RunList>>) {
  const reads = new Map<string, Promise<void>>()

  function keepFailure(key: string, thrown: unknown): void {
    const failure = toPgflowError(thrown)
    const mayPass = failure.isTransient || failure.code === 'server_error'
    const connection = { status: mayPass ? 'idle' : 'closed', error: failure.toJSON() } as const
    const list = ownValue(lists.value, key)
    if (list) list.connection = connection
    else runs.setConnection(key, connection)
  }

  return {
    /**
     * Reads the run of an id or the list of a key, unless it was asked for before.
     * @throws PgflowError
     */
    once(key: string, read: () => Promise<void>): Promise<void> {
      const begin = () =>
        read().catch((thrown: unknown) => {
          keepFailure(key, thrown)
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
