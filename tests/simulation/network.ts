import { PgflowError } from '../../src/errors.ts'
import type { Json } from '../../src/model/entities.ts'
import { asEvent } from '../support/as-event.ts'
import type { RunTransport, RunChannelHandlers } from '../../src/transport/types.ts'
import type { VirtualClock } from './clock.ts'
import { ModelDatabase, type Message } from './database.ts'

/** How likely each fault is, from 0 to 1. */
export interface FaultRates {
  dropMessage: number
  duplicateMessage: number
  reorderMessage: number
  malformMessage: number
  failRequest: number
  loseReply: number
  hangRequest: number
  staleSnapshot: number
  dropConnection: number
}

export const noFaults: FaultRates = {
  dropMessage: 0,
  duplicateMessage: 0,
  reorderMessage: 0,
  malformMessage: 0,
  failRequest: 0,
  loseReply: 0,
  hangRequest: 0,
  staleSnapshot: 0,
  dropConnection: 0,
}

interface Subscription {
  runId: string
  handlers: RunChannelHandlers
  /** What the server knows: between its side of the join and the loss of the connection. */
  isSubscribed: boolean
  isClosed: boolean
  /** Counts connections: what an earlier one still carries is lost. */
  connection: number
  lastDelivery: number
}

const unreachable = () => new PgflowError('unreachable', 'The network is down.')

/** A network between clients and a model database, and everything that can go wrong on it. */
export class SimulatedNetwork implements RunTransport {
  readonly canJoinEarly = true
  readonly database: ModelDatabase
  faults: FaultRates
  /** The most channels that may be open at once. */
  maxChannels = Infinity
  /** How many requests were made. */
  requests = 0
  /** Whether an answer may ever have come from an outdated replica. */
  readonly mayBeOutdated: boolean
  readonly #clock: VirtualClock
  readonly #subscriptions = new Set<Subscription>()
  readonly #known = new Map<string, number>()
  #outdatedAnswers = 0

  constructor(clock: VirtualClock, faults: FaultRates) {
    this.#clock = clock
    this.faults = faults
    this.mayBeOutdated = faults.staleSnapshot > 0
    this.database = new ModelDatabase(clock.random, (runId, messages) => {
      for (const subscription of this.#subscriptions) {
        if (subscription.runId !== runId || !subscription.isSubscribed) continue
        for (const message of messages) this.#broadcast(subscription, message)
      }
    })
  }

  get openChannels(): number {
    return this.#subscriptions.size
  }

  /**
   * The last broadcast of a run that the client can know of: it came, whole or spoilt, or it was
   * sent before the client was let in.
   */
  known(runId: string): number {
    return this.#known.get(runId) ?? 0
  }

  /** What is wrong with the channels that are open now. */
  channelViolations(): string[] {
    const runIds = [...this.#subscriptions].map(({ runId }) => runId)
    const broken: string[] = []
    if (new Set(runIds).size < runIds.length) broken.push('a run has two channels')
    if (runIds.length > this.maxChannels) broken.push('too many channels are open')
    return broken
  }

  startFlow(flowSlug: string, input: Json, runId: string, signal: AbortSignal) {
    return this.#request(signal, () => this.database.start(runId, flowSlug, input))
  }

  fetchRuns(runIds: readonly string[], signal: AbortSignal) {
    return this.#request(signal, () => {
      const age = this.#outdatedBy()
      const found = runIds.flatMap((runId) => this.database.snapshot(runId, age) ?? [])
      return new Map(found.map((snapshot) => [snapshot.run.run_id, snapshot]))
    })
  }

  readonly fetchSeqs = (runIds: readonly string[], signal: AbortSignal) =>
    this.#request(signal, () => {
      const age = this.#outdatedBy()
      const found = runIds.flatMap((runId) => this.database.snapshot(runId, age) ?? [])
      return new Map(found.map(({ run, seq }) => [run.run_id, seq ?? 0]))
    })

  /** Nobody signs in or out. */
  watchSession(): () => void {
    return () => {}
  }

  openChannel(runId: string, handlers: RunChannelHandlers) {
    const subscription: Subscription = {
      runId,
      handlers,
      isSubscribed: false,
      isClosed: false,
      connection: 0,
      lastDelivery: 0,
    }
    this.#subscriptions.add(subscription)
    this.#join(subscription)
    return {
      close: () => {
        subscription.isClosed = true
        subscription.isSubscribed = false
        this.#subscriptions.delete(subscription)
      },
    }
  }

  /** Cuts every connection; each comes back after a while. */
  dropConnections(): void {
    for (const subscription of this.#subscriptions) this.#drop(subscription)
  }

  #join(subscription: Subscription): void {
    const connection = subscription.connection
    const isCurrent = () => !subscription.isClosed && subscription.connection === connection
    this.#clock.after(this.#latency(), () => {
      if (!isCurrent()) return
      subscription.isSubscribed = true
      const sent = this.database.snapshot(subscription.runId)?.seq ?? 0
      this.#clock.after(this.#latency(), () => {
        if (!isCurrent()) return
        this.#learn(subscription.runId, sent)
        subscription.handlers.onJoined()
        if (this.#happens('dropConnection')) {
          this.#clock.after(this.#latency() * 10, () => isCurrent() && this.#drop(subscription))
        }
      })
    })
  }

  #drop(subscription: Subscription): void {
    subscription.isSubscribed = false
    subscription.connection += 1
    subscription.handlers.onDown(new PgflowError('channel_failed', 'The connection is lost.'))
    const { connection } = subscription
    this.#clock.after(100 + this.#latency() * 5, () => {
      if (!subscription.isClosed && subscription.connection === connection) this.#join(subscription)
    })
  }

  #broadcast(subscription: Subscription, message: Message): void {
    if (this.#happens('dropMessage')) return
    this.#deliver(subscription, message)
    if (this.#happens('duplicateMessage')) this.#deliver(subscription, message)
  }

  /** In order, as a socket does, unless this one is to overtake or to be overtaken. */
  #deliver(subscription: Subscription, message: Message): void {
    const { connection } = subscription
    const isOutOfOrder = this.#happens('reorderMessage')
    const own = this.#clock.time + this.#latency() * (isOutOfOrder ? 4 : 1)
    const at = isOutOfOrder ? own : Math.max(own, subscription.lastDelivery)
    if (!isOutOfOrder) subscription.lastDelivery = at
    const isMalformed = this.#happens('malformMessage')
    this.#clock.after(at - this.#clock.time, () => {
      if (subscription.isClosed || subscription.connection !== connection) return
      this.#learn(subscription.runId, message.seq)
      const parsed = asEvent(message.name, isMalformed ? { run_id: 7 } : message.payload)
      if (parsed.ok) subscription.handlers.onEvent(parsed.value)
      else subscription.handlers.onMalformed(new PgflowError('malformed_message', parsed.reason))
    })
  }

  #request<T>(signal: AbortSignal, work: () => T): Promise<T> {
    this.requests += 1
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason instanceof Error ? signal.reason : unreachable())
      })
      if (this.#happens('hangRequest')) return
      this.#clock.after(this.#latency(), () => {
        if (this.#happens('failRequest')) return reject(unreachable())
        const result = work()
        const isLost = this.#happens('loseReply')
        this.#clock.after(this.#latency(), () => {
          if (isLost) reject(unreachable())
          else resolve(result)
        })
      })
    })
  }

  #learn(runId: string, seq: number): void {
    this.#known.set(runId, Math.max(this.known(runId), seq))
  }

  /** A replica falls behind by some transactions, but not for ever. */
  #outdatedBy(): number {
    const isOutdated = this.#outdatedAnswers < 5 && this.#happens('staleSnapshot')
    this.#outdatedAnswers = isOutdated ? this.#outdatedAnswers + 1 : 0
    return isOutdated ? 1 + Math.floor(this.#clock.random() * 3) : 0
  }

  #latency(): number {
    return 1 + this.#clock.random() ** 3 * 200
  }

  #happens(fault: keyof FaultRates): boolean {
    return this.#clock.random() < this.faults[fault]
  }
}
