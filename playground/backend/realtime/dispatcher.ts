import type { Database } from '../database.ts'
import type { Faults } from './faults.ts'
import { encodeBroadcast } from './protocol.ts'
import type { RealtimeSettings } from './settings.ts'

/** One message on its way to those who joined its topic. */
export interface Broadcast {
  topic: string
  isPrivate: boolean
  event: string
  /** JSON text, or bytes a client sent as such. */
  payload: string | Uint8Array
  /** The row's id; a message from another client has none. */
  id?: string
}

/** Receives the encoded frame of a broadcast. */
export type Subscriber = (frame: Uint8Array) => void

/** Carries messages to subscribers. Public and private are separate namespaces of topics. */
export class Dispatcher {
  readonly #subscribers = new Map<string, Set<Subscriber>>()
  readonly #settings: Pick<RealtimeSettings, 'maxPayloadBytes'>

  constructor(settings: Pick<RealtimeSettings, 'maxPayloadBytes'>) {
    this.#settings = settings
  }

  subscribe(isPrivate: boolean, topic: string, subscriber: Subscriber): () => void {
    const key = keyOf(isPrivate, topic)
    const subscribers = this.#subscribers.get(key) ?? new Set()
    this.#subscribers.set(key, subscribers.add(subscriber))
    return () => {
      subscribers.delete(subscriber)
      if (subscribers.size === 0 && this.#subscribers.get(key) === subscribers) {
        this.#subscribers.delete(key)
      }
    }
  }

  fits(payload: string | Uint8Array): boolean {
    return Buffer.byteLength(payload) <= this.#settings.maxPayloadBytes
  }

  /** Delivers to everyone on the topic except `sender`; too large a message reaches nobody. */
  dispatch(broadcast: Broadcast, sender?: Subscriber): void {
    const subscribers = this.#subscribers.get(keyOf(broadcast.isPrivate, broadcast.topic))
    if (!subscribers || !this.fits(broadcast.payload)) return
    const frame = encodeBroadcast({
      topic: `realtime:${broadcast.topic}`,
      event: broadcast.event,
      meta: broadcast.id === undefined ? '' : JSON.stringify({ id: broadcast.id }),
      payload: broadcast.payload,
    })
    if (!frame) return
    for (const subscriber of subscribers) if (subscriber !== sender) subscriber(frame)
  }
}

function keyOf(isPrivate: boolean, topic: string): string {
  return `${isPrivate ? 'private' : 'public'}:${topic}`
}

interface Row {
  id: string
  topic: string
  private: boolean
  event: string
  payload: string
}

/**
 * Follows `realtime.messages` the way the real server follows its replication slot: after commit,
 * in commit order, rows with a missing field silently left out. Resolves to its undo.
 */
export async function followMessages(
  db: Database,
  faults: Faults,
  dispatcher: Dispatcher,
): Promise<() => Promise<void>> {
  let pending: string[] = []
  let reading = Promise.resolve()
  let busy = false
  let isStopped = false
  const read = async () => {
    busy = true
    try {
      while (pending.length > 0 && !isStopped) {
        const ids = pending
        pending = []
        for (const { private: isPrivate, ...row } of await readRows(db, ids)) {
          faults.pass({ ...row, isPrivate }, (broadcast) => dispatcher.dispatch(broadcast))
        }
      }
    } catch (error) {
      if (!isStopped) {
        console.error('The Realtime stand-in could not read realtime.messages', error)
      }
    } finally {
      busy = false
    }
  }
  const stopListening = await db.listen('realtime_messages', (id) => {
    pending.push(id)
    if (!busy) reading = read()
  })
  return async () => {
    isStopped = true
    await stopListening()
    await reading
  }
}

async function readRows(db: Database, ids: readonly string[]): Promise<Row[]> {
  const rows = await db.query<Row>(
    `select id, topic, private, event, payload::text as payload
       from realtime.messages
      where id = any($1::uuid[])
        and topic is not null and private is not null
        and event is not null and payload is not null`,
    [ids],
  )
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}
