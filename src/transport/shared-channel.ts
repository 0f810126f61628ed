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
 * The channels of each client, by topic. supabase-js keeps one object for each topic: a second
 * subscriber would receive nothing, and would be cut off when the first leaves. Therefore several
 * apps or Pinias with one client share a channel here.
 */
const channels = new WeakMap<SupabaseClient, Map<string, SharedChannel>>()

/** Joins a topic, or shares the channel that has joined it already. */
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

/** Reasons of the server that an immediate retry cannot change, and their error codes. */
const refusals: readonly (readonly [RegExp, PgflowErrorCode])[] = [
  [/^Unauthorized\b/, 'channel_refused'],
  [/^PrivateOnly\b/, 'private_only'],
  [/^(\w*JWT|JwtSign)/, 'unauthorized'],
  [/^\w*RateLimitReached\b|^Too many /, 'rate_limited'],
]

/** How long a channel may be down before supabase-js counts as stuck, in ms. */
const longestSilence = 30_000

function refusalOf(reason: string): PgflowErrorCode | undefined {
  return refusals.find(([pattern]) => pattern.test(reason))?.[1]
}

/**
 * Keeps one topic joined. supabase-js rejoins by itself after a lost connection, and reports
 * SUBSCRIBED again. In three cases the channel is dropped and created again after a while: the
 * server has closed it (an expired token, a rate limit), and supabase-js does not rejoin; the
 * server refuses it, and each rejoin would block the whole socket; or nothing is reported for long,
 * because supabase-js waits for a token before it reconnects, which may never come.
 */
class SharedChannel {
  readonly #options: TopicChannelOptions
  readonly #onEmpty: () => void
  readonly #handlers = new Set<RunChannelHandlers>()
  #channel: RealtimeChannel | null = null
  #isJoined = false
  /** The last failure since it was last joined. */
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
    // Later, so that the caller has the channel before anything is reported on it.
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

  /** Reports the present state to handlers that were added later. */
  #catchUp(handlers: RunChannelHandlers): void {
    const down = this.#down
    if (this.#isJoined) this.#notify(({ onJoined }) => onJoined(), [handlers])
    else if (down) this.#notify(({ onDown }) => onDown(down), [handlers])
  }

  #goDown(error: PgflowError): void {
    this.#down = error
    this.#notify(({ onDown }) => onDown(error))
  }

  /** Calls handlers. An error in one does not affect the others. */
  #notify(
    notify: (handlers: RunChannelHandlers) => void,
    whom: Iterable<RunChannelHandlers> = this.#handlers,
  ): void {
    for (const handlers of whom) this.#guard(() => notify(handlers), [handlers])
  }

  async #build(): Promise<void> {
    const { supabase, scheduler, isPrivate, topic } = this.#options
    try {
      // The join uses the token that Realtime holds when it is sent: it is fetched first.
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
   * Another library has this topic on the client, such as pgflow's own: the channel object is
   * theirs, and a second subscription would never succeed. It may be free later.
   */
  #yield(): void {
    const { runId, topic } = this.#options
    this.#buildLater(0)
    const message = `The channel ${topic} of this Supabase client belongs to somebody else.`
    const error = new PgflowError('channel_taken', message, { runId })
    // Later, as in `add`: this may run while the channel is being opened.
    queueMicrotask(() => this.#goDown(error))
  }

  #buildLater(extraSteps: number): void {
    const { scheduler } = this.#options
    const wait = backoff(this.#rebuilds++ + extraSteps, scheduler.random)
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
      // The database's stream is up. What was sent before is lost.
      whileCurrent(() => isReady(frame) && this.#notify(({ onJoined }) => onJoined())),
    )
    channel.subscribe((status, error) => whileCurrent(() => this.#follow(status, error)))
  }

  /**
   * Runs a callback of supabase-js. An error thrown there would end the socket for everybody, or
   * the Node process. Instead, the handlers concerned are notified, and read their state again.
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
      for (const handlers of whom) queueMicrotask(() => this.#notifyOfFault(handlers, error))
    }
  }

  #notifyOfFault(handlers: RunChannelHandlers, error: PgflowError): void {
    try {
      if (this.#handlers.has(handlers)) handlers.onMalformed(error)
    } catch {
      // No handler is left.
    }
  }

  #receive(frame: unknown): void {
    const { runId } = this.#options
    const { event, payload } = readFrame(frame)
    const parsed = parseEvent(event, payload)
    if (parsed.ok && parsed.value.run_id === (runId ?? parsed.value.run_id)) {
      return this.#notify(({ onEvent }) => onEvent(parsed.value))
    }
    const reason = parsed.ok ? 'it is about another run' : parsed.reason
    const error = new PgflowError(
      'malformed_message',
      `The broadcast "${clip(event)}" was not applied: ${reason}`,
      { runId },
    )
    this.#notify(({ onMalformed }) => onMalformed(error))
  }

  #follow(status: string, cause: unknown): void {
    const { runId } = this.#options
    this.#isJoined = status === 'SUBSCRIBED'
    this.#cancelRebuild()
    if (this.#isJoined) {
      this.#rebuilds = 0
      this.#down = null
      return this.#notify(({ onJoined }) => onJoined())
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
