import type { Database } from '../database.ts'
import type { EventRate } from './event-rate.ts'
import type { Faults } from './faults.ts'
import type { Serializer } from './serializer.ts'
import type { RealtimeSettings } from './settings.ts'

/** Who a message is for. */
export interface Address {
  topic: string
  isPrivate: boolean
}

/** One message on its way to those who joined its topic: a row, or of a client's binary frame. */
export interface Broadcast extends Address {
  event: string
  /** JSON text, or bytes a client sent as such. */
  payload: string | Uint8Array
  /** The row's id; a message from another client has none. */
  id?: string
}

/** A client's message in a text frame, handed on as it came: its JSON, whatever that says. */
export interface TextBroadcast extends Address {
  json: string
}

/** A channel that joined a topic. */
export interface Subscriber {
  readonly serializer: Serializer
  deliver(frame: string | Uint8Array): void
  /** Told, after a message was delivered, that there are too many a second. */
  overrun(): void
}

/** What the limit of the payload leaves to it: 500 bytes of padding, 6 of encoding. */
const payloadPadding = 494

/** Carries messages to subscribers. Public and private are separate namespaces of topics. */
export class Dispatcher {
  readonly #subscribers = new Map<string, Set<Subscriber>>()
  readonly #settings: Pick<RealtimeSettings, 'maxPayloadBytes'>
  readonly #rate: EventRate

  constructor(settings: Pick<RealtimeSettings, 'maxPayloadBytes'>, rate: EventRate) {
    this.#settings = settings
    this.#rate = rate
  }

  subscribe({ isPrivate, topic }: Address, subscriber: Subscriber): () => void {
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

  /** Delivers a row: none that is too large, and none at all while there are too many a second. */
  publish(broadcast: Broadcast): void {
    if (!this.#fits(broadcast.payload) || this.#rate.isOver) return
    this.#rate.add()
    this.#deliver(broadcast)
  }

  /** Delivers what a client says to everyone but `sender`; false for what is too large. */
  relay(message: Broadcast | TextBroadcast, sender?: Subscriber): boolean {
    this.#rate.add()
    if (!this.#fits('json' in message ? message.json : message.payload)) return false
    this.#deliver(message, sender)
    return true
  }

  #fits(payload: string | Uint8Array): boolean {
    return Buffer.byteLength(payload) <= this.#settings.maxPayloadBytes + payloadPadding
  }

  #deliver(message: Broadcast | TextBroadcast, sender?: Subscriber): void {
    const { isOver } = this.#rate
    const frames = new Map<Serializer, string | Uint8Array | undefined>()
    for (const subscriber of this.#subscribers.get(keyOf(message.isPrivate, message.topic)) ?? []) {
      if (subscriber === sender) continue
      const { serializer } = subscriber
      if (!frames.has(serializer)) frames.set(serializer, frameOf(message, serializer))
      const frame = frames.get(serializer)
      if (frame === undefined) continue
      this.#rate.add()
      subscriber.deliver(frame)
      if (isOver) subscriber.overrun()
    }
  }
}

function frameOf(
  message: Broadcast | TextBroadcast,
  serializer: Serializer,
): string | Uint8Array | undefined {
  const topic = `realtime:${message.topic}`
  if ('json' in message) return serializer.encodeTextBroadcast(topic, message.json)
  const { event, id, payload } = message
  const meta = id === undefined ? '' : JSON.stringify({ id })
  return serializer.encodeBroadcast({ topic, event, meta, payload })
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
          faults.pass({ ...row, isPrivate }, (broadcast) => dispatcher.publish(broadcast))
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
    // Decided when it is committed, not when it is read: a lost connection never makes up for it.
    if (!faults.isReplicating) return
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
