import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { version2 } from '../../../playground/backend/realtime/protocol-v2.ts'

/** Answers an RPC with what its JSON would be. */
export type Answer = (name: string, args: Record<string, unknown>) => unknown

/**
 * The unmodified supabase-js on a socket inside this process: what it is sent arrives at once, so
 * that nothing but the client's own work is measured.
 */
export interface Loopback {
  supabase: SupabaseClient
  /** Delivers a broadcast of the database; when this returns, every handler has run. */
  broadcast: (topic: string, event: string, payload: object) => void
  /** The same in a text frame, which needs nothing of Node. */
  broadcastText: (topic: string, event: string, payload: object) => void
}

/** Connects a client to itself. */
export function openLoopback(answer: Answer): Loopback {
  let socket: MemorySocket | undefined
  class Socket extends MemorySocket {
    constructor(url: string | URL) {
      super(url)
      // eslint-disable-next-line @typescript-eslint/no-this-alias -- supabase-js makes it, this hands it out
      socket = this
    }
  }
  const supabase = createClient('http://loopback', 'key', {
    auth: { persistSession: false, autoRefreshToken: false, storageKey: crypto.randomUUID() },
    realtime: { transport: Socket },
    global: {
      async fetch(resource, init) {
        const name =
          new URL(resource instanceof Request ? resource.url : resource).pathname
            .split('/')
            .at(-1) ?? ''
        const body = await new Response(init?.body ?? null).text()
        return Response.json(answer(name, JSON.parse(body) as Record<string, unknown>))
      },
    },
  })
  return {
    supabase,
    broadcast(topic, event, payload) {
      const frame = version2.encodeBroadcast({
        topic: `realtime:${topic}`,
        event,
        meta: '{"id": "00000000-0000-4000-8000-000000000000"}',
        payload: JSON.stringify(payload),
      })
      if (frame && socket) socket.receive(new Uint8Array(frame).buffer)
    },
    broadcastText(topic, event, payload) {
      const json = JSON.stringify({ type: 'broadcast', event, payload })
      socket?.receive(version2.encodeTextBroadcast(`realtime:${topic}`, json))
    },
  }
}

type Handler<Happened> = ((this: unknown, happened: Happened) => unknown) | null

/** As much of a WebSocket as supabase-js uses; joins and heartbeats are always fine. */
class MemorySocket extends EventTarget {
  readonly CONNECTING = 0
  readonly OPEN = 1
  readonly CLOSING = 2
  readonly CLOSED = 3
  readonly protocol = ''
  readonly url: string
  readyState = 0
  binaryType = 'arraybuffer'
  onopen: Handler<Event> = null
  onmessage: Handler<MessageEvent> = null
  onclose: Handler<CloseEvent> = null
  onerror: Handler<Event> = null

  constructor(url: string | URL) {
    super()
    this.url = String(url)
    queueMicrotask(() => {
      this.readyState = this.OPEN
      this.onopen?.(new Event('open'))
    })
  }

  receive(data: string | ArrayBuffer): void {
    this.onmessage?.(new MessageEvent('message', { data }))
  }

  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
    if (typeof data !== 'string') return
    const [joinRef, ref, topic] = JSON.parse(data) as unknown[]
    const reply = { status: 'ok', response: { postgres_changes: [] } }
    queueMicrotask(() => this.receive(JSON.stringify([joinRef, ref, topic, 'phx_reply', reply])))
  }

  close(): void {
    this.readyState = this.CLOSED
  }
}
