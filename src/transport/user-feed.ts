import type { SupabaseClient } from '@supabase/supabase-js'
import { PgflowError, toPgflowError } from '../errors.ts'
import { backoff, type Scheduler } from '../model/scheduler.ts'
import { userTopic } from '../model/wire.ts'
import { signedInUser } from './signed-in.ts'
import { openSharedChannel } from './shared-channel.ts'
import type { RunChannel, RunChannelHandlers } from './types.ts'

/** Joins the topic of the signed-in user, and changes to another topic when the user changes. */
export function openUserFeed(
  supabase: SupabaseClient,
  scheduler: Scheduler,
  handlers: RunChannelHandlers,
): RunChannel {
  const feed = new UserFeed(supabase, scheduler, handlers)
  void feed.follow()
  return feed
}

/**
 * The channel of a user. Who that is may change whenever the channel goes down: the server closes
 * it when the token belongs to another user.
 */
class UserFeed implements RunChannel {
  readonly #supabase: SupabaseClient
  readonly #scheduler: Scheduler
  readonly #handlers: RunChannelHandlers
  #isClosed = false
  #channel: RunChannel | null = null
  #user: string | null = null
  #attempts = 0
  #cancelRetry = () => {}

  constructor(supabase: SupabaseClient, scheduler: Scheduler, handlers: RunChannelHandlers) {
    this.#supabase = supabase
    this.#scheduler = scheduler
    this.#handlers = handlers
  }

  /** Joins the channel of the signed-in user; does nothing if it is that user's already. */
  async follow(): Promise<void> {
    this.#cancelRetry()
    let user: string | null
    try {
      user = await signedInUser(this.#supabase, this.#scheduler)
    } catch (error) {
      return this.#wait(toPgflowError(error))
    }
    if (this.#isClosed || (user !== null && user === this.#user)) return
    this.#channel?.close()
    this.#channel = null
    this.#user = user
    if (user !== null) return this.#join(user)
    this.#wait(new PgflowError('not_signed_in', 'Nobody is signed in.'))
  }

  close(): void {
    this.#isClosed = true
    this.#cancelRetry()
    this.#channel?.close()
  }

  #join(user: string): void {
    const isCurrent = () => this.#user === user && !this.#isClosed
    const { onEvent, onJoined, onMalformed, onDown } = this.#handlers
    const topic = userTopic(user)
    const options = { supabase: this.#supabase, scheduler: this.#scheduler, topic }
    this.#channel = openSharedChannel(
      { ...options, isPrivate: true, runId: null },
      {
        onEvent,
        onMalformed,
        onJoined: () => {
          this.#attempts = 0
          onJoined()
        },
        onDown: (error) => {
          if (isCurrent()) void this.follow()
          onDown(error)
        },
      },
    )
  }

  /** Retries after a while: a client with a token of its own reports no sign-in. */
  #wait(error: PgflowError): void {
    if (this.#isClosed) return
    this.#cancelRetry()
    const wait = backoff(this.#attempts++, this.#scheduler.random)
    this.#cancelRetry = this.#scheduler.after(wait, () => void this.follow())
    if (this.#attempts > 1) return
    try {
      this.#handlers.onDown(error)
    } catch {
      // The caller catches nothing, and another attempt is scheduled.
    }
  }
}
