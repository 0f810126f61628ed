import { PgflowError, type PgflowErrorCode } from '../../src/errors.ts'
import { parseEvent } from '../../src/model/wire.ts'
import type { Message } from '../../src/testing/rows.ts'
import type { RunChannel, RunChannelHandlers } from '../../src/transport/types.ts'
import type { VirtualClock } from '../support/virtual-clock.ts'
import type { Conditions } from './conditions.ts'
import type { Journal } from './journal.ts'
import { distort } from './message-faults.ts'
import type { Forgery } from './plan.ts'
import { between, chance, type Random } from './random.ts'

/** How long Realtime takes to notice that a connection is dead, at most: two heartbeats. */
const heartbeats = 50_000
const rejoinTimes = [1_000, 2_000, 5_000, 10_000] as const

interface Channel {
  /** The topic that is joined now; that of a user can change. */
  topic: string
  topicNow: () => string | null
  runId: string | null
  handlers: RunChannelHandlers
  /** The server's state of the channel: it sends here. */
  isJoined: boolean
  /** The connection is open, but silent: its messages are lost without an error. */
  isSilent: boolean
  isClosed: boolean
  openedAt: number
  /** Counts connections: what an earlier one still carries is lost. */
  connection: number
  attempts: number
  lastDelivery: number
}

/** What channels need of their world. */
export interface ChannelsContext {
  clock: VirtualClock
  conditions: Conditions
  random: Random
  latency: number
  journal: Journal
  mayListen: (topic: string) => boolean
  /** A message is about to reach a handler; null unless a stranger sent it. */
  onArrived: (runId: string, message: Message, forgery: Forgery | null) => void
  /**
   * A channel is about to report that it is joined; called with the time at which the server let it
   * in.
   */
  onJoined: (runId: string, at: number) => void
  onOpened: (runId: string) => void
  onClosed: (runId: string) => void
  /** A message that can be read is about to reach the feed's handler. */
  onFed: (message: Message) => void
  /** The feed is left: what was received on it may be dropped. */
  onFeedLeft: () => void
  /** Called before a handler is called. */
  onCall: () => void
}

/** Realtime: channels that are joined, receive, are lost and are joined again. */
export class SimulatedChannels {
  readonly #context: ChannelsContext
  readonly #channels = new Set<Channel>()

  constructor(context: ChannelsContext) {
    this.#context = context
  }

  /** The topics of the channels that the client has. */
  get topics(): string[] {
    return [...this.#channels].map(({ topic }) => topic)
  }

  /** Whether the client has a channel of the run. */
  has(runId: string): boolean {
    return [...this.#channels].some((each) => each.runId === runId)
  }

  /** When the channel of a run was opened. */
  openedAt(runId: string): number | undefined {
    return [...this.#channels].find((each) => each.runId === runId)?.openedAt
  }

  /** Whether the run's channel is joined, and not silent. */
  isReceiving(topic: string): boolean {
    return [...this.#channels].some(
      (each) => each.topic === topic && each.isJoined && !each.isSilent,
    )
  }

  open(
    topicNow: () => string | null,
    runId: string | null,
    handlers: RunChannelHandlers,
  ): RunChannel {
    const channel: Channel = {
      ...{ topic: topicNow() ?? 'nobody', topicNow, runId, handlers, connection: 0, attempts: 0 },
      ...{ isJoined: false, isSilent: false, isClosed: false, lastDelivery: 0 },
      openedAt: this.#context.clock.time,
    }
    this.#channels.add(channel)
    if (runId !== null) this.#context.onOpened(runId)
    this.#context.journal.note(() => `channel ${channel.topic} opened`)
    this.#join(channel)
    return {
      close: () => {
        if (channel.isClosed) return
        channel.isClosed = true
        channel.isJoined = false
        this.#channels.delete(channel)
        this.#context.journal.note(() => `channel ${channel.topic} closed`)
        if (runId !== null) this.#context.onClosed(runId)
        else this.#context.onFeedLeft()
      },
    }
  }

  /** Delivers a message, genuine or forged, to the channels that are joined at this moment. */
  send(message: Message, forgery: Forgery | null = null): void {
    const { conditions, random } = this.#context
    for (const channel of this.#channels) {
      if (channel.topic !== message.topic || !channel.isJoined || channel.isSilent) continue
      if (conditions.is('no-network')) continue
      if (conditions.of('silent').some(({ rate }) => chance(random, rate))) continue
      const fate = forgery === null ? conditions.fateOfMessage() : null
      if (fate === 'dropped') continue
      const sent = fate === null ? message : distort(message, fate)
      this.#deliver(channel, sent, forgery, fate === 'late')
      if (fate === 'duplicated') this.#deliver(channel, sent, forgery, chance(random, 0.5))
    }
  }

  /** The connection of a share of the channels is lost, and comes back. */
  cut(rate: number): void {
    for (const channel of [...this.#channels]) {
      if (channel.isJoined && chance(this.#context.random, rate)) this.#lose(channel)
    }
  }

  /** The network is gone: the server's side is over, and the client's notices by and by. */
  sever(isNoticed: boolean): void {
    const { clock, random } = this.#context
    for (const channel of [...this.#channels]) {
      if (!channel.isJoined) continue
      channel.isSilent = true
      if (isNoticed) this.#lose(channel)
      else {
        const notice = this.#whileCurrent(channel, () => this.#lose(channel))
        clock.after(between(random, 1_000, heartbeats), notice)
      }
    }
  }

  /** Who may listen has changed: the server looks again. */
  review(closesAll: boolean): void {
    for (const channel of [...this.#channels]) {
      if (!channel.isJoined) continue
      const isAllowed = this.#context.mayListen(channel.topic)
      if (closesAll || !isAllowed || channel.topicNow() !== channel.topic) this.#lose(channel)
    }
  }

  #join(channel: Channel): void {
    const { clock, conditions, random } = this.#context
    channel.topic = channel.topicNow() ?? channel.topic
    channel.isJoined = false
    channel.isSilent = false
    const [fault] = conditions.of('joins')
    const whileCurrent = (task: () => void) => this.#whileCurrent(channel, task)
    const down = (code: PgflowErrorCode, wait?: number) => () => this.#lose(channel, code, wait)
    const later = (task: () => void, extra = 0) => {
      const guarded = whileCurrent(() => {
        const wait = conditions.asleepUntil - clock.time
        if (wait > 0) later(task, wait)
        else task()
      })
      clock.after(extra + this.#latency(), guarded)
    }
    if (channel.topicNow() === null) return later(down('not_signed_in', 10_000))
    if (conditions.is('no-network') || fault?.how === 'hangs') {
      return later(down('channel_failed'), 10_000)
    }
    later(() => {
      if (fault?.how === 'refused') return down(fault.code, between(random, 4_000, 12_000))()
      if (!this.#context.mayListen(channel.topic)) return down('channel_refused', 5_000)()
      channel.isJoined = true
      channel.isSilent = fault?.how === 'unready'
      const joinedAt = clock.time
      later(
        () => this.#ready(channel, joinedAt),
        fault?.how === 'late' ? between(random, 1_000, 6_000) : 0,
      )
      if (!channel.isSilent) return
      // The server's own connection to the database comes later; until then nothing is received.
      const ready = () => {
        channel.isSilent = false
        const readyAt = clock.time
        later(() => this.#ready(channel, readyAt))
      }
      later(ready, between(random, 500, 4_000))
    })
  }

  #ready(channel: Channel, joinedAt: number): void {
    channel.attempts = 0
    this.#context.onCall()
    this.#context.journal.note(() => `channel ${channel.topic} joined`)
    if (channel.runId !== null && !channel.isSilent) this.#context.onJoined(channel.runId, joinedAt)
    channel.handlers.onJoined()
  }

  #lose(channel: Channel, code: PgflowErrorCode = 'channel_failed', wait?: number): void {
    const { clock, journal, onCall } = this.#context
    onCall()
    channel.isJoined = false
    channel.connection += 1
    journal.note(() => `channel ${channel.topic} down: ${code}`)
    const again = this.#whileCurrent(channel, () => this.#join(channel))
    clock.after(wait ?? rejoinTimes[Math.min(channel.attempts++, 3)] ?? 10_000, again)
    channel.handlers.onDown(new PgflowError(code, `Realtime: ${code}`))
  }

  /** In order, as a socket does, unless this one is to be overtaken. */
  #deliver(channel: Channel, message: Message, forgery: Forgery | null, isLate: boolean): void {
    const { clock, conditions, random } = this.#context
    const own = clock.time + (isLate ? between(random, 1, 2_000) : this.#latency())
    const at = isLate ? own : Math.max(own, channel.lastDelivery)
    if (!isLate) channel.lastDelivery = at
    // As text, as over the wire: nothing is shared with the database.
    const text = JSON.stringify(message.payload)
    const arrive = this.#whileCurrent(channel, () => {
      const wait = conditions.asleepUntil - clock.time
      if (wait > 0) clock.after(wait, arrive)
      else
        this.#receive(
          channel,
          { ...message, payload: JSON.parse(text) as Message['payload'] },
          forgery,
        )
    })
    clock.after(at - clock.time, arrive)
  }

  #receive({ runId, topic, handlers }: Channel, message: Message, forgery: Forgery | null): void {
    const { name, payload } = message
    this.#context.journal.note(
      () =>
        `${forgery === null ? '' : 'forged '}${name} seq ${JSON.stringify(payload.seq)} on ${topic.slice(0, 20)}`,
    )
    this.#context.onCall()
    if (runId !== null) this.#context.onArrived(runId, message, forgery)
    const parsed = parseEvent(name, payload)
    if (runId === null && parsed.ok) this.#context.onFed(message)
    if (parsed.ok && parsed.value.run_id === (runId ?? parsed.value.run_id)) {
      return handlers.onEvent(parsed.value)
    }
    const reason = parsed.ok ? 'it is about another run' : parsed.reason
    handlers.onMalformed(new PgflowError('malformed_message', `Not applied: ${reason}`))
  }

  #whileCurrent(channel: Channel, task: () => void): () => void {
    const { connection } = channel
    return () => {
      if (!channel.isClosed && channel.connection === connection) task()
    }
  }

  #latency(): number {
    return between(this.#context.random, 1, this.#context.latency)
  }
}
