import { setTimeout as wait } from 'node:timers/promises'
import type { RawData, WebSocket } from 'ws'
import { Channel, Refusal, type Link, type Services } from './channel.ts'
import { asRecord, readJoin, topicPrefix } from './join-request.ts'
import { Mailbox } from './mailbox.ts'
import { decodeBroadcast, decodeText, encodeText, type Message } from './protocol.ts'

/** One connected client and the channels it joined. */
export class RealtimeSocket implements Link {
  readonly services: Services
  readonly apiKey: string
  readonly headers: Record<string, string>
  readonly #ws: WebSocket
  readonly #mailbox = new Mailbox()
  readonly #channels = new Map<string, Channel>()
  readonly #closing = new AbortController()
  #idleTimer: NodeJS.Timeout | undefined
  /** Received, and waiting in the mailbox. */
  #unreadBytes = 0
  /** To be sent, and waiting in the mailbox. */
  #undeliveredBytes = 0

  constructor(
    ws: WebSocket,
    services: Services,
    client: { apiKey: string; headers: Record<string, string> },
  ) {
    this.#ws = ws
    this.services = services
    this.apiKey = client.apiKey
    this.headers = client.headers
    ws.on('message', (data, isBinary) => this.#receive(data, isBinary))
    ws.on('close', () => this.#close())
    // A frame that is too large or not valid: ws closes with the right code by itself.
    ws.on('error', () => undefined)
    this.#watchIdle()
  }

  readonly deliver = (frame: Uint8Array): void => {
    this.#undeliveredBytes += frame.length
    if (this.#undeliveredBytes > this.services.settings.maxUnsentBytes) return this.#ws.terminate()
    this.#mailbox.push(() => {
      this.#undeliveredBytes -= frame.length
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
    const message = isBinary ? readBinary(bytes) : decodeText(bytes.toString('utf8'))
    if (!message) return
    this.#unreadBytes += bytes.length
    this.#mailbox.push(() => {
      this.#unreadBytes -= bytes.length
      this.#throttle()
      return this.#handle(message)
    })
    this.#throttle()
  }

  /** Leaves with the client what it sends faster than it can be handled. */
  #throttle(): void {
    const isTooMuch = this.#unreadBytes > this.services.settings.maxUnreadBytes
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
    if (message.event === 'phx_leave') return this.#leave(message, channel)
    if (!channel) return this.#reply(message, 'error', { reason: 'unmatched topic' })
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
    if (!message.topic.startsWith(topicPrefix)) {
      return this.#reply(message, 'error', { reason: 'unmatched topic' })
    }
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

  async #broadcast(message: Message, channel: Channel): Promise<void> {
    const { dispatcher } = this.services
    const { topic, isPrivate, self, ack } = channel.request
    const sent = readBroadcast(message.payload)
    if (!sent || !(await channel.canWrite())) return
    if (!dispatcher.fits(sent.payload)) {
      if (ack) this.#replyRaw(message, 'error', 'payload_size_exceeded')
      return
    }
    dispatcher.dispatch({ topic, isPrivate, ...sent }, self ? undefined : this.deliver)
    if (ack) this.#reply(message, 'ok', {})
  }

  #reply(message: Message, status: 'ok' | 'error', response: Record<string, unknown>): void {
    this.#replyRaw(message, status, response)
  }

  #replyRaw(message: Message, status: 'ok' | 'error', response: unknown): void {
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
    this.#transmit(encodeText(message))
  }

  #transmit(frame: string | Uint8Array): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.#ws.send(frame)
    if (this.#ws.bufferedAmount > this.services.settings.maxUnsentBytes) this.#ws.terminate()
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

/** A client's binary broadcast, as the text message it stands for. */
function readBinary(bytes: Uint8Array): Message | undefined {
  const sent = decodeBroadcast(bytes)
  if (!sent) return undefined
  const { event, payload, encoding, ...rest } = sent
  const content = encoding === 'json' ? Buffer.from(payload).toString('utf8') : payload
  return { ...rest, event: 'broadcast', payload: { event, encoded: content } }
}

/** What to hand on: the event's own name and its payload, as JSON text or bytes. */
function readBroadcast(
  payload: unknown,
): { event: string; payload: string | Uint8Array } | undefined {
  const { event, encoded, payload: value } = asRecord(payload)
  if (typeof event !== 'string') return undefined
  if (typeof encoded === 'string' || encoded instanceof Uint8Array) {
    return { event, payload: encoded }
  }
  try {
    return { event, payload: JSON.stringify(value ?? {}) }
  } catch {
    // Nested deeper than this engine can write.
    return undefined
  }
}
