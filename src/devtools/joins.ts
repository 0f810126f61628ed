import type { KeptRecord } from '../trace-log.ts'

/** What a join is: the first of its channel, a later one, or one after which broadcasts arrive. */
export type Join = 'joined' | 'reconnect' | 'ready'

/** Returns the kind of each join. It has to be called with all records, in their order. */
export class Joins {
  /** By run or list: whether its channel, once joined, is so still. */
  readonly #isJoined = new Map<string, boolean>()

  /** Null for a record of something else. */
  of({ kind, key }: Pick<KeptRecord, 'kind' | 'key'>): Join | null {
    const isJoined = this.#isJoined.get(key)
    if (kind === 'left' && isJoined) this.#isJoined.set(key, false)
    if (kind !== 'joined') return null
    this.#isJoined.set(key, true)
    if (isJoined === undefined) return 'joined'
    // Realtime says once more when the database's stream has reached the channel.
    return isJoined ? 'ready' : 'reconnect'
  }
}
