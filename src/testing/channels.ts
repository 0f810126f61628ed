import { PgflowError, type PgflowErrorCode } from '../errors.ts'
import { backoff, type Scheduler } from '../model/scheduler.ts'
import { parseEvent } from '../model/wire.ts'
import type { RunChannel, RunChannelHandlers } from '../transport/types.ts'
import { MessageFaults } from './message-faults.ts'
import type { Message } from './rows.ts'
import type { TestPageActivity } from './test-page-activity.ts'

/** How long a lost socket takes to come back, in ms: as long as that of supabase-js. */
const reconnectAfter = 1_000

interface Channel {
  topic: string
  /** The run that the topic is about; null when it is about many. */
  runId: string | null
  handlers: RunChannelHandlers
  /** The server sends to it. */
  isJoined: boolean
  isClosed: boolean
  /** Counts connections: messages of an earlier one are lost. */
  connection: number
  /** Refusals in a row. */
  refusals: number
  cancelRetry: () => void
}

/** What channels need of their environment. */
export interface ChannelsContext {
  scheduler: Scheduler
  pageActivity: TestPageActivity
  /** Whether the signed-in user may join a topic now. */
  mayListen: (topic: string) => boolean
}

/** Realtime in memory: channels that are joined, send, are lost and are joined again. */
export class Channels {
  readonly faults: MessageFaults
  /** Why every join is refused, if it is. */
  refusal: PgflowErrorCode | null = null
  readonly #context: ChannelsContext
  readonly #channels = new Set<Channel>()

  constructor(context: ChannelsContext) {
    this.#context = context
    this.faults = new MessageFaults(context.scheduler)
  }

  /** The topics that the app has a channel for. */
  get topics(): string[] {
    return [...this.#channels].map(({ topic }) => topic)
  }

  open(topic: string, runId: string | null, handlers: RunChannelHandlers): RunChannel {
    const channel: Channel = {
      topic,
      runId,
      handlers,
      isJoined: false,
      isClosed: false,
      connection: 0,
      refusals: 0,
      cancelRetry: () => {},
    }
    this.#channels.add(channel)
    this.#join(channel)
    return {
      close: () => {
        channel.isClosed = true
        channel.cancelRetry()
        this.#channels.delete(channel)
      },
    }
  }

  /** Delivers a message of the database to the channels that are joined at this moment. */
  readonly send = (message: Message): void => {
    const listening = [...this.#channels].filter(
      ({ topic, isJoined }) => isJoined && topic === message.topic,
    )
    if (listening.length === 0) return
    const connections = listening.map((channel) => channel.connection)
    this.faults.pass(message, (arrived) => {
      listening.forEach((channel, index) => {
        this.#deliver(channel, arrived, connections[index] ?? 0)
      })
    })
  }

  /** The connection is gone; it comes back by itself after a second. */
  kill(): void {
    for (const channel of this.#channels) this.#lose(channel, reconnectAfter)
  }

  /** The device has lost its network: nothing comes back by itself. */
  cut(): void {
    for (const channel of this.#channels) this.#lose(channel, null)
  }

  /** Joins the channels that are not joined. */
  restore(): void {
    for (const channel of this.#channels) {
      channel.refusals = 0
      if (!channel.isJoined) this.#join(channel)
    }
  }

  /** Who may listen has changed: the server looks again. */
  review(): void {
    for (const channel of this.#channels) {
      if (channel.isJoined && this.#refusalOf(channel)) this.#join(channel)
    }
  }

  #join(channel: Channel): void {
    channel.cancelRetry()
    channel.isJoined = false
    channel.connection += 1
    const isCurrent = this.#isCurrent(channel)
    // The answer of the server, and then the news of it: each takes its way.
    void Promise.resolve().then(() => {
      if (!isCurrent()) return
      if (!this.#context.pageActivity.isOnline()) return this.#lose(channel, null)
      const refusal = this.#refusalOf(channel)
      if (refusal) return this.#refuse(channel, refusal)
      channel.isJoined = true
      void Promise.resolve().then(() => {
        if (!isCurrent()) return
        channel.refusals = 0
        channel.handlers.onJoined()
      })
    })
  }

  #refusalOf({ topic }: Channel): PgflowErrorCode | null {
    if (this.refusal) return this.refusal
    return this.#context.mayListen(topic) ? null : 'channel_refused'
  }

  #refuse(channel: Channel, code: PgflowErrorCode): void {
    // As the real channel does with what it is not let into.
    const wait = backoff(channel.refusals++ + 3, this.#context.scheduler.random)
    this.#lose(channel, wait, code, 'Realtime: the channel is refused')
  }

  #lose(
    channel: Channel,
    retryAfter: number | null,
    code: PgflowErrorCode = 'channel_failed',
    message = 'Realtime: the connection is lost',
  ): void {
    channel.cancelRetry()
    channel.isJoined = false
    channel.connection += 1
    if (retryAfter !== null) {
      const retry = () => this.#join(channel)
      channel.cancelRetry = this.#context.scheduler.after(retryAfter, retry)
    }
    channel.handlers.onDown(new PgflowError(code, message, aboutRun(channel)))
  }

  #deliver(channel: Channel, { name, payload }: Message, connection: number): void {
    const isCurrent = this.#isCurrent(channel, connection)
    // As text, as over the wire: nothing is shared with the database.
    const text = JSON.stringify(payload)
    void Promise.resolve().then(() => {
      if (isCurrent()) receive(channel, name, JSON.parse(text))
    })
  }

  #isCurrent(channel: Channel, connection = channel.connection): () => boolean {
    return () => !channel.isClosed && channel.connection === connection
  }
}

function receive(channel: Channel, name: string, payload: unknown): void {
  const { runId, handlers } = channel
  const parsed = parseEvent(name, payload)
  if (parsed.ok && parsed.value.run_id === (runId ?? parsed.value.run_id)) {
    return handlers.onEvent(parsed.value)
  }
  const reason = parsed.ok ? 'it is about another run' : parsed.reason
  const message = `The broadcast "${name}" was not applied: ${reason}`
  handlers.onMalformed(new PgflowError('malformed_message', message, aboutRun(channel)))
}

function aboutRun({ runId }: Channel): { runId?: string } {
  return runId === null ? {} : { runId }
}
