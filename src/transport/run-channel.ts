import type { RealtimeChannel, SupabaseClient } from '@supabase/supabase-js'
import { PgflowError } from '../errors.ts'
import { backoff, type Scheduler } from '../model/scheduler.ts'
import { parseEvent, runTopic } from '../model/wire.ts'
import type { RunChannel, RunChannelHandlers } from './types.ts'

/** What a channel needs. */
export interface RunChannelOptions {
  supabase: SupabaseClient
  scheduler: Scheduler
  isPrivate: boolean
  runId: string
  handlers: RunChannelHandlers
}

/** Opens the channel of a run. */
export function openRunChannel(options: RunChannelOptions): RunChannel {
  return new SupabaseRunChannel(options)
}

/** Reasons of the server that trying again at once will not change. */
const refusals = /^(Unauthorized|PrivateOnly|\w*JWT\w*|JwtSign\w*|ChannelRateLimitReached)\b/

/**
 * Keeps one topic joined. supabase-js rejoins by itself after a lost connection, and then reports
 * SUBSCRIBED again. A channel that the server has closed (an expired token, a rate limit) is dead,
 * and one that it refuses would be retried for ever while each answer blocks the whole socket:
 * both are given up here and built anew after a while.
 */
class SupabaseRunChannel implements RunChannel {
  readonly #options: RunChannelOptions
  #channel: RealtimeChannel | null = null
  #isClosed = false
  #rebuilds = 0
  #cancelRebuild = () => {}

  constructor(options: RunChannelOptions) {
    this.#options = options
    void this.#build()
  }

  close(): void {
    this.#isClosed = true
    this.#cancelRebuild()
    this.#drop()
  }

  async #build(): Promise<void> {
    const { supabase, isPrivate, runId } = this.#options
    try {
      // The join takes the token that is known when it is sent; this resolves it first.
      if (isPrivate) await supabase.realtime.setAuth()
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (!this.#isClosed) this.#follow('CLOSED', new Error(`no token: ${message}`))
      return
    }
    if (this.#isClosed) return
    const channel = supabase.channel(runTopic(runId), {
      config: {
        private: isPrivate,
        broadcast: { self: false, ack: false, replication_ready: true },
      },
    })
    this.#channel = channel
    channel.on('broadcast', { event: '*' }, (frame: unknown) => {
      if (this.#channel === channel) this.#receive(frame)
    })
    channel.on('system', {}, (frame: unknown) => {
      // The database's stream is up; what it sent before that is lost.
      if (this.#channel === channel && isReady(frame)) this.#options.handlers.onJoined()
    })
    channel.subscribe((status, error) => {
      if (this.#channel === channel) this.#follow(status, error)
    })
  }

  #receive(frame: unknown): void {
    const { runId, handlers } = this.#options
    const { event, payload } = readFrame(frame)
    const parsed = parseEvent(event, payload)
    if (parsed.ok && parsed.value.run_id === runId) return handlers.onEvent(parsed.value)
    const reason = parsed.ok ? 'it is about another run' : parsed.reason
    handlers.onMalformed(
      new PgflowError('malformed_message', `The broadcast "${event}" was not applied: ${reason}`, {
        runId,
        hint: 'Only this project’s SQL and pgflow should send on the topics of runs.',
      }),
    )
  }

  #follow(status: string, error: Error | undefined): void {
    const { runId, scheduler, handlers } = this.#options
    if (status === 'SUBSCRIBED') {
      this.#rebuilds = 0
      return handlers.onJoined()
    }
    const isRefused = refusals.test(error?.message ?? '')
    if (isRefused || status === 'CLOSED') {
      this.#drop()
      const wait = backoff(this.#rebuilds++ + (isRefused ? 3 : 0), scheduler.random)
      this.#cancelRebuild = scheduler.after(wait, () => void this.#build())
    }
    const reason = error?.message ?? status.toLowerCase()
    handlers.onDown(
      new PgflowError(isRefused ? 'channel_refused' : 'channel_failed', `Realtime: ${reason}`, {
        runId,
        cause: error,
      }),
    )
  }

  #drop(): void {
    const channel = this.#channel
    this.#channel = null
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
