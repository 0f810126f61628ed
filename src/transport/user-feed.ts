import type { SupabaseClient } from '@supabase/supabase-js'
import { PgflowError, toPgflowError } from '../errors.ts'
import { backoff, type Scheduler } from '../model/scheduler.ts'
import { userTopic } from '../model/wire.ts'
import { signedInUser } from './signed-in.ts'
import { openSharedChannel } from './shared-channel.ts'
import type { RunChannel, RunChannelHandlers } from './types.ts'

/**
 * Joins the topic of the signed-in user. Who that is may change whenever the channel goes down: the
 * server closes it when the token belongs to another user. Then the topic of that user is joined.
 */
export function openUserFeed(
  supabase: SupabaseClient,
  scheduler: Scheduler,
  handlers: RunChannelHandlers,
): RunChannel {
  let isClosed = false
  let channel: RunChannel | null = null
  let user: string | null = null
  let attempts = 0
  let cancelRetry = () => {}

  /** Joins the channel of the signed-in user; does nothing if it is that user's already. */
  async function follow(): Promise<void> {
    cancelRetry()
    let current: string | null
    try {
      current = await signedInUser(supabase, scheduler)
    } catch (error) {
      return wait(toPgflowError(error))
    }
    if (isClosed || (current !== null && current === user)) return
    channel?.close()
    channel = null
    user = current
    if (current !== null) return join(current)
    wait(new PgflowError('not_signed_in', 'Nobody is signed in.'))
  }

  function join(joined: string): void {
    channel = openSharedChannel(
      { supabase, scheduler, topic: userTopic(joined), isPrivate: true, runId: null },
      {
        ...handlers,
        onJoined: () => {
          attempts = 0
          handlers.onJoined()
        },
        onDown: (error) => {
          if (user === joined && !isClosed) void follow()
          handlers.onDown(error)
        },
      },
    )
  }

  /** Retries after a while: a client with a token of its own reports no sign-in. */
  function wait(error: PgflowError): void {
    if (isClosed) return
    cancelRetry()
    cancelRetry = scheduler.after(backoff(attempts++, scheduler.random), () => void follow())
    if (attempts > 1) return
    try {
      handlers.onDown(error)
    } catch {
      // The caller catches nothing, and another attempt is scheduled.
    }
  }

  void follow()
  return {
    close() {
      isClosed = true
      cancelRetry()
      channel?.close()
    },
  }
}
