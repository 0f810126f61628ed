import type { Access, Authorization } from './authorization.ts'
import type { Dispatcher, Subscriber } from './dispatcher.ts'
import type { Faults } from './faults.ts'
import { expired, type Claims, type TokenFault } from '../keys.ts'
import type { Tokens } from '../tokens.ts'
import type { Serializer } from './serializer.ts'
import type { RealtimeSettings } from './settings.ts'

/** What every channel of a server shares. */
export interface Services {
  tokens: Tokens
  authorization: Authorization
  dispatcher: Dispatcher
  faults: Faults
  settings: RealtimeSettings
}

/** What a channel may do to the socket it lives on. */
export interface Link {
  services: Services
  apiKey: string
  headers: Record<string, string>
  serializer: Serializer
  /** Delivers a broadcast frame, after everything the socket is still busy with. */
  deliver(frame: string | Uint8Array): void
  /** Sends a message of this channel, `join_ref` filled in. */
  push(channel: Channel, event: string, payload: unknown): void
  /** Ends the channel from the server's side; the client never rejoins by itself. */
  end(channel: Channel): void
}

/** The part of a join's payload that matters here. */
export interface JoinRequest {
  topic: string
  joinRef: string | null
  isPrivate: boolean
  self: boolean
  ack: boolean
  replicationReady: boolean
  replay: boolean
  token: string | undefined
}

/** A refusal, worded like the real server's. */
export class Refusal {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

/** One joined topic of one socket. */
export class Channel implements Subscriber {
  readonly request: JoinRequest
  readonly serializer: Serializer
  readonly #link: Link
  #token: string
  #claims: Claims
  #mayWrite: boolean | undefined
  #tokenTimer: NodeJS.Timeout | undefined
  #replicationTimer: NodeJS.Timeout | undefined
  #unsubscribe: (() => void) | undefined
  #unwatchTokens: (() => void) | undefined

  private constructor(request: JoinRequest, link: Link, token: string, claims: Claims) {
    this.request = request
    this.serializer = link.serializer
    this.#link = link
    this.#token = token
    this.#claims = claims
  }

  /** Decides a join. On success messages begin to queue behind the reply, as on the real server. */
  static async join(request: JoinRequest, link: Link): Promise<Channel | Refusal> {
    if (request.topic === '') {
      return new Refusal('TopicNameRequired: You must provide a topic name')
    }
    if (link.services.settings.privateOnly && !request.isPrivate) {
      return new Refusal('PrivateOnly: This project only allows private channels')
    }
    if (request.replay) {
      // The stand-in keeps no history to replay; the real server says the same when it cannot.
      return new Refusal(
        request.isPrivate
          ? 'UnableToReplayMessages: Realtime was unable to replay messages'
          : 'UnableToReplayMessages: Replay is not allowed for public channels',
      )
    }
    const token = request.token ?? link.apiKey
    const check = await link.services.tokens.verify(token)
    if (!check.ok) return new Refusal(`${check.fault.code}: ${check.fault.message}`)
    const channel = new Channel(request, link, token, check.claims)
    if (request.isPrivate && !(await channel.#canRead(check.claims))) {
      return new Refusal(
        `Unauthorized: You do not have permissions to read from this Channel topic: ${request.topic}`,
      )
    }
    channel.#unsubscribe = link.services.dispatcher.subscribe(request, channel)
    channel.#unwatchTokens = link.services.tokens.watch(() => channel.#watchToken())
    channel.#watchToken()
    return channel
  }

  /** Called once the join's reply is sent. */
  opened(): void {
    if (this.request.replicationReady) this.#announceReplication(Date.now())
  }

  /** A token sent by the client; there is never a reply. */
  async refreshToken(token: unknown): Promise<void> {
    if (typeof token !== 'string' || token === this.#token || token.startsWith('sb_')) return
    const check = await this.#link.services.tokens.verify(token)
    if (!check.ok) return this.#fail(reasonOf(check.fault))
    if (this.request.isPrivate && !(await this.#canRead(check.claims))) {
      const { topic } = this.request
      return this.#fail(`You do not have permissions to read from this Channel topic: ${topic}`)
    }
    this.#token = token
    this.#claims = check.claims
    this.#mayWrite = undefined
    this.#watchToken()
  }

  /** Decided once a token, on the first message a client sends. */
  async canWrite(): Promise<boolean> {
    if (!this.request.isPrivate) return true
    this.#mayWrite ??= await this.#link.services.authorization.canWrite(this.#access(this.#claims))
    return this.#mayWrite
  }

  deliver(frame: string | Uint8Array): void {
    this.#link.deliver(frame)
  }

  overrun(): void {
    this.#fail('Too many messages per second')
  }

  close(): void {
    this.#unsubscribe?.()
    this.#unwatchTokens?.()
    clearTimeout(this.#tokenTimer)
    clearTimeout(this.#replicationTimer)
  }

  #canRead(claims: Claims): Promise<boolean> {
    return this.#link.services.authorization.canRead(this.#access(claims))
  }

  #access(claims: Claims): Access {
    return { topic: this.request.topic, claims, headers: this.#link.headers }
  }

  #watchToken(): void {
    clearTimeout(this.#tokenTimer)
    const { settings, tokens } = this.#link.services
    const end = tokens.endOf(this.#claims)
    const wait = Math.min(settings.tokenCheckMs, Math.max(end * 1_000 - Date.now(), 0))
    this.#tokenTimer = setTimeout(() => {
      if (end * 1_000 > Date.now()) return this.#watchToken()
      const check = expired({ ...this.#claims, exp: end })
      if (!check.ok) this.#fail(check.fault.message)
    }, wait)
  }

  #announceReplication(since: number): void {
    const { faults, settings } = this.#link.services
    if (faults.isReplicating) {
      this.#system('ok', 'Replication connection established')
    } else if (Date.now() - since >= settings.replicationTimeoutMs) {
      this.#fail('Replication connection was not established in time')
    } else {
      this.#replicationTimer = setTimeout(
        () => this.#announceReplication(since),
        settings.replicationPollMs,
      )
    }
  }

  #fail(message: string): void {
    this.#system('error', message)
    this.#link.end(this)
  }

  #system(status: 'ok' | 'error', message: string): void {
    const { topic } = this.request
    this.#link.push(this, 'system', { extension: 'system', status, message, channel: topic })
  }
}

/** What a channel is told of a token that it cannot take: for one fault, the server has no words. */
function reasonOf({ code, message }: TokenFault): string {
  return code === 'JwtSignatureError' ? ':signature_error' : message
}
