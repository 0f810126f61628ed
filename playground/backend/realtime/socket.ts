import { setTimeout as wait } from 'node:timers/promises'
import type { RawData, WebSocket } from 'ws'
import { Backlog } from './backlog.ts'
import { Channel, Refusal, type Link, type Services } from './channel.ts'
import type { Broadcast, TextBroadcast } from './dispatcher.ts'
import { asRecord, readJoin, topicPrefix } from './join-request.ts'
import { Mailbox } from './mailbox.ts'
import { EncodedBroadcast, type Message, type Serializer } from './serializer.ts'

/** What is known of a client from its handshake. */
export interface Client {
  apiKey: string
  serializer: Serializer
  /** Those that policies see. */
  headers: Record<string, string>
}

/** One connected client and the channels it joined. */
export class RealtimeSocket implements Link {
  readonly services: Services
  readonly apiKey: string
  readonly headers: Record<string, string>
  readonly serializer: Serializer
  readonly #ws: WebSocket
  readonly #mailbox = new Mailbox()
  readonly #channels = new Map<string, Channel>()
  readonly #closing = new AbortController()
  #idleTimer: NodeJS.Timeout | undefined
  /** Received, and waiting in the mailbox. */
  readonly #unread = new Backlog()
  /** To be sent, and waiting in the mailbox. */
  readonly #undelivered = new Backlog()
  /** Sent, and not taken by the network yet. */
  readonly #unsent = new Backlog()
  /** While a message of this client is handed on: a copy for itself goes out before the answer. */
  #isRelaying = false

  constructor(ws: WebSocket, services: Services, client: Client) {
    this.#ws = ws
    this.services = services
    this.apiKey = client.apiKey
    this.headers = client.headers
    this.serializer = client.serializer
    ws.on('message', (data, isBinary) => this.#receive(data, isBinary))
    ws.on('close', () => this.#close())
    // A frame that is too large or not valid: ws closes with the right code by itself.
    ws.on('error', () => undefined)
    this.#watchIdle()
  }

  deliver(frame: string | Uint8Array): void {
    if (this.#isRelaying) return this.#transmit(frame)
    const release = this.#undelivered.hold(Buffer.byteLength(frame))
    if (this.#isTooMuch(this.#undelivered)) return this.#ws.terminate()
    this.#mailbox.push(() => {
      release()
      this.#transmit(frame)
    })
  }

  push(channel: Channel, event: string, payload: unknown): void {
    const { topic, joinRef } = channel.request
    this.#mailbox.push(() =>
      this.#send({ joinRef, ref: null, topic: topicPrefix + topic, event, payload }),
    )
  }

  end(channel: Channel): void {
    this.#mailbox.push(() => this.#phxClose(channel))
    this.#forget(channel)
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#watchIdle()
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(new Uint8Array(data))
    const message = this.serializer.decode(bytes, isBinary)
    if (!message) return
    const release = this.#unread.hold(bytes.length)
    this.#mailbox.push(() => {
      release()
      this.#throttle()
      return this.#handle(message)
    })
    this.#throttle()
  }

  /** Leaves with the client what it sends faster than it can be handled. */
  #throttle(): void {
    const isTooMuch = this.#unread.bytes > this.services.settings.maxUnreadBytes
    if (isTooMuch && !this.#ws.isPaused) this.#ws.pause()
    if (!isTooMuch && this.#ws.isPaused) this.#ws.resume()
  }

  #handle(message: Message): void | Promise<void> {
    if (message.topic === 'phoenix') {
      if (message.event === 'heartbeat') this.#reply(message, 'ok', {})
      return
    }
    if (message.event === 'phx_join') return this.#guard(message, () => this.#join(message))
    const channel = this.#channels.get(message.topic)
    if (channel && isStale(message, channel)) return
    if (message.event === 'phx_leave') return this.#leave(message, channel)
    if (!channel) return this.#replyUnmatched(message)
    if (message.event === 'access_token') {
      const token = asRecord(message.payload).access_token
      return this.#guard(message, () => channel.refreshToken(token))
    }
    if (message.event === 'broadcast') {
      return this.#guard(message, () => this.#broadcast(message, channel))
    }
  }

  /** Answers for work that throws as the real server does when a channel's process crashes. */
  async #guard(message: Message, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (this.#closing.signal.aborted) return
      console.error('The Realtime stand-in could not handle', message.event, error)
      if (message.event === 'phx_join') {
        return this.#reply(message, 'error', { reason: 'join crashed' })
      }
      const channel = this.#channels.get(message.topic)
      if (channel) this.#forget(channel)
      const { joinRef, topic } = message
      const payload = { reason: 'channel_crash' }
      this.#send({ joinRef, ref: joinRef, topic, event: 'phx_error', payload })
    }
  }

  async #join(message: Message): Promise<void> {
    if (!message.topic.startsWith(topicPrefix)) return this.#replyUnmatched(message)
    const previous = this.#channels.get(message.topic)
    if (previous) this.#forget(previous)
    const outcome = await this.#decide(message)
    if (outcome instanceof Refusal) {
      await this.#pause(this.services.settings.joinErrorDelayMs)
      this.#reply(message, 'error', { reason: outcome.reason })
    } else if (this.#closing.signal.aborted) {
      outcome.close()
    } else {
      this.#channels.set(message.topic, outcome)
      this.#reply(message, 'ok', { postgres_changes: [] })
      outcome.opened()
    }
    // The old channel's end is told after the new one's answer; clients know it by its join_ref.
    if (previous) this.#phxClose(previous)
  }

  async #decide(message: Message): Promise<Channel | Refusal> {
    if (this.#channels.size >= this.services.settings.maxChannelsPerSocket) {
      return new Refusal('ChannelRateLimitReached: Too many channels')
    }
    return Channel.join(readJoin(message), this)
  }

  #leave(message: Message, channel: Channel | undefined): void {
    this.#reply(message, 'ok', {})
    if (!channel) return
    this.#forget(channel)
    this.#phxClose(channel)
  }

  async #broadcast({ payload, ...message }: Message, channel: Channel): Promise<void> {
    const { topic, isPrivate, self, ack } = channel.request
    const sent = readBroadcast(payload)
    if (!sent || !(await channel.canWrite())) return
    const { dispatcher } = this.services
    this.#isRelaying = true
    const fits = dispatcher.relay({ topic, isPrivate, ...sent }, self ? undefined : channel)
    this.#isRelaying = false
    if (!ack) return
    if (fits) this.#reply(message, 'ok', {})
    else this.#replyRaw(message, 'error', 'payload_size_exceeded')
  }

  #replyUnmatched(message: Message): void {
    this.#reply({ ...message, joinRef: null }, 'error', { reason: 'unmatched topic' })
  }

  #reply(message: Envelope, status: 'ok' | 'error', response: Record<string, unknown>): void {
    this.#replyRaw(message, status, response)
  }

  #replyRaw(message: Envelope, status: 'ok' | 'error', response: unknown): void {
    this.#send({ ...message, event: 'phx_reply', payload: { status, response } })
  }

  #phxClose({ request: { topic, joinRef } }: Channel): void {
    const wireTopic = topicPrefix + topic
    this.#send({ joinRef, ref: joinRef, topic: wireTopic, event: 'phx_close', payload: {} })
  }

  #forget(channel: Channel): void {
    channel.close()
    const topic = topicPrefix + channel.request.topic
    if (this.#channels.get(topic) === channel) this.#channels.delete(topic)
  }

  #send(message: Message): void {
    this.#transmit(this.serializer.encode(message))
  }

  #transmit(frame: string | Uint8Array): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.#ws.send(frame, this.#unsent.hold(Buffer.byteLength(frame)))
    // Counted until later even where the network takes it at once.
    if (this.#ws.bufferedAmount > 0 && this.#isTooMuch(this.#unsent)) this.#ws.terminate()
  }

  #isTooMuch({ bytes }: Backlog): boolean {
    return bytes > this.services.settings.maxUnsentBytes
  }

  async #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#closing
    await wait(milliseconds, undefined, { signal }).catch(() => undefined)
  }

  #watchIdle(): void {
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => this.#ws.close(1000), this.services.settings.idleTimeoutMs)
  }

  #close(): void {
    this.#closing.abort()
    this.#mailbox.close()
    clearTimeout(this.#idleTimer)
    for (const channel of this.#channels.values()) channel.close()
    this.#channels.clear()
  }
}

/** What names a message. */
type Envelope = Omit<Message, 'payload'>

/** Whether it is for an earlier join of the topic; a message need not name one. */
function isStale({ joinRef }: Message, { request }: Channel): boolean {
  return joinRef !== null && joinRef !== request.joinRef
}

/** What to hand on of a broadcast. */
function readBroadcast(
  payload: unknown,
): Pick<Broadcast, 'event' | 'payload'> | Pick<TextBroadcast, 'json'> | undefined {
  if (payload instanceof EncodedBroadcast) return payload
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined
  try {
    return { json: JSON.stringify(payload) }
  } catch {
    // Nested deeper than this engine can write.
    return undefined
  }
}
