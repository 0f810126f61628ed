import type { RealtimeChannel, SupabaseClient } from '@supabase/supabase-js'
import { PgflowError, toPgflowError, type PgflowErrorCode } from '../errors.ts'
import { backoff, type Scheduler } from '../model/scheduler.ts'
import { clip } from '../model/text.ts'
import { parseEvent } from '../model/wire.ts'
import { refreshToken } from './access-token.ts'
import type { RunChannel, RunChannelHandlers } from './types.ts'

/** What a channel needs. */
export interface TopicChannelOptions {
  supabase: SupabaseClient
  scheduler: Scheduler
  isPrivate: boolean
  topic: string
  /** The run that the topic is about; null when it is about many. */
  runId: string | null
}

/**
 * The channels of each client, by topic: supabase-js keeps one object a topic, whose second
 * subscriber would never hear, and whom the first would cut off when it leaves. So several apps or
 * Pinias that use one client share a channel here.
 */
const channels = new WeakMap<SupabaseClient, Map<string, SharedChannel>>()

/** Joins a topic, or shares the channel that is there for it already. */
export function openSharedChannel(
  options: TopicChannelOptions,
  handlers: RunChannelHandlers,
): RunChannel {
  const { supabase, topic } = options
  const byTopic = channels.get(supabase) ?? new Map<string, SharedChannel>()
  channels.set(supabase, byTopic)
  const channel = byTopic.get(topic) ?? new SharedChannel(options, () => byTopic.delete(topic))
  byTopic.set(topic, channel)
  return channel.add(handlers)
}

/** Reasons of the server that trying again at once will not change, and what they come down to. */
const refusals: readonly (readonly [RegExp, PgflowErrorCode])[] = [
  [/^Unauthorized\b/, 'channel_refused'],
  [/^PrivateOnly\b/, 'private_only'],
  [/^(\w*JWT|JwtSign)/, 'unauthorized'],
  [/^\w*RateLimitReached\b|^Too many /, 'rate_limited'],
]

/** How long a channel may be down without a sign of supabase-js, in ms. */
const longestSilence = 30_000

function refusalOf(reason: string): PgflowErrorCode | undefined {
  return refusals.find(([pattern]) => pattern.test(reason))?.[1]
}

/**
 * Keeps one topic joined. supabase-js rejoins by itself after a lost connection, and then reports
 * SUBSCRIBED again. A channel that the server has closed (an expired token, a rate limit) is dead,
 * and one that it refuses would be retried for ever while each answer blocks the whole socket:
 * both are given up here and built anew after a while. So is one of which nothing is heard any more:
 * supabase-js waits for a token before it connects again, and that may never come.
 */
class SharedChannel {
  readonly #options: TopicChannelOptions
  readonly #onEmpty: () => void
  readonly #handlers = new Set<RunChannelHandlers>()
  #channel: RealtimeChannel | null = null
  #isJoined = false
  /** Why it is not joined, since it was last. */
  #down: PgflowError | null = null
  #rebuilds = 0
  #cancelRebuild = () => {}

  constructor(options: TopicChannelOptions, onEmpty: () => void) {
    this.#options = options
    this.#onEmpty = onEmpty
  }

  add(handlers: RunChannelHandlers): RunChannel {
    const isFirst = this.#handlers.size === 0
    this.#handlers.add(handlers)
    if (isFirst) void this.#build()
    // Later: whoever opens a channel has to have it before anything happens on it.
    else queueMicrotask(() => this.#handlers.has(handlers) && this.#catchUp(handlers))
    return {
      close: () => {
        if (!this.#handlers.delete(handlers) || this.#handlers.size > 0) return
        this.#cancelRebuild()
        this.#drop()
        this.#onEmpty()
      },
    }
  }

  /** Tells one who comes later what the others know. */
  #catchUp(handlers: RunChannelHandlers): void {
    const down = this.#down
    if (this.#isJoined) this.#tell(({ onJoined }) => onJoined(), [handlers])
    else if (down) this.#tell(({ onDown }) => onDown(down), [handlers])
  }

  #goDown(error: PgflowError): void {
    this.#down = error
    this.#tell(({ onDown }) => onDown(error))
  }

  /** Tells each, whatever becomes of the others. */
  #tell(
    tell: (handlers: RunChannelHandlers) => void,
    whom: Iterable<RunChannelHandlers> = this.#handlers,
  ): void {
    for (const handlers of whom) this.#guard(() => tell(handlers), [handlers])
  }

  async #build(): Promise<void> {
    const { supabase, scheduler, isPrivate, topic } = this.#options
    try {
      // The join takes the token that is known when it is sent; this resolves it first.
      if (isPrivate) await refreshToken(supabase, scheduler)
      if (this.#handlers.size === 0) return
      const others = new Set(supabase.getChannels())
      const channel = supabase.channel(topic, {
        config: {
          private: isPrivate,
          broadcast: { self: false, ack: false, replication_ready: true },
        },
      })
      if (others.has(channel)) return this.#yield()
      this.#channel = channel
      this.#listen(channel)
    } catch (thrown) {
      if (this.#handlers.size > 0) this.#follow('CLOSED', thrown)
    }
  }

  /**
   * Somebody else has this topic on the client, such as pgflow's own client: the object is theirs,
   * and subscribing to it again would never be answered. They may leave some day.
   */
  #yield(): void {
    const { runId, topic } = this.#options
    this.#buildLater(0)
    const message = `The channel ${topic} of this Supabase client belongs to somebody else.`
    const error = new PgflowError('channel_taken', message, { runId })
    // Later, as for the joined: this may be while the channel is being opened.
    queueMicrotask(() => this.#goDown(error))
  }

  #buildLater(patience: number): void {
    const { scheduler } = this.#options
    const wait = backoff(this.#rebuilds++ + patience, scheduler.random)
    this.#cancelRebuild = scheduler.after(wait, () => void this.#build())
  }

  #listen(channel: RealtimeChannel): void {
    const whileCurrent = (work: () => void) => {
      if (this.#channel === channel) this.#guard(work)
    }
    channel.on('broadcast', { event: '*' }, (frame: unknown) =>
      whileCurrent(() => this.#receive(frame)),
    )
    channel.on('system', {}, (frame: unknown) =>
      // The database's stream is up; what it sent before that is lost.
      whileCurrent(() => isReady(frame) && this.#tell(({ onJoined }) => onJoined())),
    )
    channel.subscribe((status, error) => whileCurrent(() => this.#follow(status, error)))
  }

  /**
   * Runs what supabase-js calls. Whatever is thrown there would end the socket of everybody, or a
   * process of Node: those whom it concerns are told instead, and read what they show again.
   */
  #guard(work: () => void, whom: Iterable<RunChannelHandlers> = this.#handlers): void {
    try {
      work()
    } catch (cause) {
      const message = 'A message of Realtime could not be applied.'
      const error = new PgflowError('malformed_message', message, {
        runId: this.#options.runId,
        cause,
      })
      for (const handlers of whom) queueMicrotask(() => this.#tellOfFault(handlers, error))
    }
  }

  #tellOfFault(handlers: RunChannelHandlers, error: PgflowError): void {
    try {
      if (this.#handlers.has(handlers)) handlers.onMalformed(error)
    } catch {
      // There is nobody left to tell.
    }
  }

  #receive(frame: unknown): void {
    const { runId } = this.#options
    const { event, payload } = readFrame(frame)
    const parsed = parseEvent(event, payload)
    if (parsed.ok && parsed.value.run_id === (runId ?? parsed.value.run_id)) {
      return this.#tell(({ onEvent }) => onEvent(parsed.value))
    }
    const reason = parsed.ok ? 'it is about another run' : parsed.reason
    const error = new PgflowError(
      'malformed_message',
      `The broadcast "${clip(event)}" was not applied: ${reason}`,
      { runId },
    )
    this.#tell(({ onMalformed }) => onMalformed(error))
  }

  #follow(status: string, cause: unknown): void {
    const { runId } = this.#options
    this.#isJoined = status === 'SUBSCRIBED'
    this.#cancelRebuild()
    if (this.#isJoined) {
      this.#rebuilds = 0
      this.#down = null
      return this.#tell(({ onJoined }) => onJoined())
    }
    const failure = cause === undefined ? null : toPgflowError(cause)
    const reason = failure?.message ?? status.toLowerCase()
    const refusal = refusalOf(reason)
    const giveUp = () => {
      this.#drop()
      this.#buildLater(refusal ? 3 : 0)
    }
    if (refusal || status === 'CLOSED') giveUp()
    else this.#cancelRebuild = this.#options.scheduler.after(longestSilence, giveUp)
    const code = failure && failure === cause ? failure.code : 'channel_failed'
    const details = { runId, cause }
    this.#goDown(new PgflowError(refusal ?? code, `Realtime: ${reason}`, details))
  }

  #drop(): void {
    const channel = this.#channel
    this.#channel = null
    this.#isJoined = false
    if (channel) void this.#options.supabase.removeChannel(channel)
  }
}

function readFrame(frame: unknown): { event: string; payload: unknown } {
  if (typeof frame !== 'object' || frame === null) return { event: '', payload: frame }
  const event = 'event' in frame && typeof frame.event === 'string' ? frame.event : ''
  return { event, payload: 'payload' in frame ? frame.payload : undefined }
}

function isReady(frame: unknown): boolean {
  if (typeof frame !== 'object' || frame === null) return false
  return 'status' in frame && frame.status === 'ok'
}
