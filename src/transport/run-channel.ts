import type { RealtimeChannel, SupabaseClient } from '@supabase/supabase-js'
import { PgflowError } from '../errors.ts'
import { backoff, type Scheduler } from '../model/scheduler.ts'
import { parseEvent, runTopic } from '../model/wire.ts'
import type { RunChannel, RunChannelHandlers } from './types.ts'

/**
 * Keeps one topic joined. supabase-js rejoins by itself after a lost connection or a refused join,
 * and then reports SUBSCRIBED again. When the server closes the channel (an expired token, a rate
 * limit) the channel object is dead, and a new one is built here.
 */
export function openRunChannel(
  supabase: SupabaseClient,
  scheduler: Scheduler,
  runId: string,
  handlers: RunChannelHandlers,
): RunChannel {
  let channel: RealtimeChannel | null = null
  let isClosed = false
  let rebuilds = 0
  let cancelRebuild = () => {}

  function build(): void {
    const built = supabase.channel(runTopic(runId), {
      config: { private: false, broadcast: { self: false, ack: false } },
    })
    channel = built
    built.on('broadcast', { event: '*' }, (frame: unknown) => {
      if (channel === built) receive(frame)
    })
    built.subscribe((status, error) => {
      if (channel === built) follow(status, error)
    })
  }

  function receive(frame: unknown): void {
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

  function follow(status: string, error: Error | undefined): void {
    if (status === 'SUBSCRIBED') {
      rebuilds = 0
      return handlers.onJoined()
    }
    if (status === 'CLOSED') {
      channel = null
      cancelRebuild = scheduler.after(backoff(rebuilds++, scheduler.random), build)
    }
    handlers.onDown(
      new PgflowError('channel_failed', `Realtime: ${error?.message ?? status.toLowerCase()}`, {
        runId,
        cause: error,
      }),
    )
  }

  build()
  return {
    close() {
      if (isClosed) return
      isClosed = true
      cancelRebuild()
      const open = channel
      channel = null
      if (open) void supabase.removeChannel(open)
    },
  }
}

function readFrame(frame: unknown): { event: string; payload: unknown } {
  if (typeof frame !== 'object' || frame === null) return { event: '', payload: frame }
  const event = 'event' in frame && typeof frame.event === 'string' ? frame.event : ''
  return { event, payload: 'payload' in frame ? frame.payload : undefined }
}
