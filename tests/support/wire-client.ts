import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Backend } from '../../playground/backend/index.ts'

/** A text frame as it arrives: join_ref, ref, topic, event, payload. */
export type Frame = [string | null, string | null, string, string, Record<string, unknown>]

/** A kind 4 frame, taken apart by hand so that the server's own codec is not its judge. */
export interface BinaryFrame {
  kind: number
  topic: string
  event: string
  meta: unknown
  encoding: number
  payload: unknown
}

type Received = { text: Frame } | { binary: BinaryFrame }

/** Speaks the wire protocol without supabase-js, to see exactly what is on the wire. */
export class WireClient {
  readonly socket: WebSocket
  readonly received: Received[] = []
  readonly #waiting = new Set<() => void>()
  /** Resolves with the code the connection was closed with. */
  readonly closed: Promise<number>

  constructor(url: string, options?: { headers?: Record<string, string> }) {
    this.socket = new WebSocket(url, options)
    this.closed = new Promise((resolve) => this.socket.once('close', resolve))
    this.socket.on('message', (data: Buffer, isBinary) => {
      this.received.push(
        isBinary
          ? { binary: readBinary(data) }
          : { text: JSON.parse(data.toString('utf8')) as Frame },
      )
      for (const check of this.#waiting) check()
    })
  }

  static async connect(backend: Backend, key = backend.anonKey): Promise<WireClient> {
    const client = new WireClient(realtimeUrl(backend.url, key))
    await once(client.socket, 'open')
    return client
  }

  send(...frame: Frame): void {
    this.socket.send(JSON.stringify(frame))
  }

  /** Sends a join and returns the frame that answers it. */
  join(topic: string, options: JoinOptions = {}): Promise<Frame> {
    const { ref = '1', token, ...config } = options
    const payload = { config, ...(token !== undefined && { access_token: token }) }
    this.send(ref, ref, `realtime:${topic}`, 'phx_join', payload)
    return this.text((frame) => frame[1] === ref && frame[3] === 'phx_reply')
  }

  /** The first text frame that matches, whether it has arrived or not. */
  text(matches: (frame: Frame) => boolean): Promise<Frame> {
    return this.#find((item) => ('text' in item && matches(item.text) ? item.text : undefined))
  }

  /** The first binary frame with this event. */
  binary(event: string): Promise<BinaryFrame> {
    return this.#find((item) =>
      'binary' in item && item.binary.event === event ? item.binary : undefined,
    )
  }

  /** Resolves once the server has handled everything sent so far, with all frames until then. */
  async settled(ref = `settle-${this.received.length}`): Promise<Received[]> {
    this.send(null, ref, 'phoenix', 'heartbeat', {})
    await this.text((frame) => frame[1] === ref)
    return this.received
  }

  /** Resolves once the server has received everything sent so far, handled or not. */
  async arrived(): Promise<void> {
    const pong = once(this.socket, 'pong')
    this.socket.ping()
    await pong
  }

  #find<T>(pick: (item: Received) => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const check = () => {
        for (const item of this.received) {
          const found = pick(item)
          if (found === undefined) continue
          this.#waiting.delete(check)
          return resolve(found)
        }
        this.#waiting.add(check)
      }
      check()
    })
  }
}

export interface JoinOptions {
  ref?: string
  token?: string
  private?: boolean
  broadcast?: Record<string, unknown>
}

export function realtimeUrl(url: string, key: string, vsn = '2.0.0'): string {
  return `${url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${key}&vsn=${vsn}`
}

function readBinary(data: Buffer): BinaryFrame {
  const [kind = -1, topicLength = 0, eventLength = 0, metaLength = 0, encoding = -1] = data
  let offset = 5
  const take = (length: number) => data.subarray(offset, (offset += length)).toString('utf8')
  const topic = take(topicLength)
  const event = take(eventLength)
  const meta = take(metaLength)
  const payload = data.subarray(offset).toString('utf8')
  return {
    kind,
    topic,
    event,
    encoding,
    meta: meta === '' ? undefined : JSON.parse(meta),
    payload: encoding === 1 ? JSON.parse(payload) : payload,
  }
}
