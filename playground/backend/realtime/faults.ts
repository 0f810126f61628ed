import type { WebSocket } from 'ws'
import type { Broadcast } from './dispatcher.ts'
import type { EventRate } from './event-rate.ts'
import type { RealtimeSettings } from './settings.ts'

type Deliver = (broadcast: Broadcast) => void

/** Decides what becomes of a broadcast: deliver it never, once, twice, changed or later. */
export type Tamper = (broadcast: Broadcast, deliver: Deliver) => void

/** The switches that make the stand-in fail as the real server and the network do. */
export interface FaultSwitches {
  /** Cuts every connection without a closing handshake; clients see code 1006. Returns how many. */
  killSockets(): number
  /** Closes every connection as a restarting server does. Returns how many. */
  closeSockets(code?: number, reason?: string): number
  /**
   * Loses the connection to the database's log: what is committed until `restoreReplication` is never
   * delivered. No client hears of it, then or later, and channels stay joined; one that is joined
   * meanwhile is told `replication_ready` only when the connection is back.
   */
  loseReplication(): void
  restoreReplication(): void
  /** Whether that connection is there. */
  readonly isReplicating: boolean
  /**
   * Begins to count messages and deliveries anew, and drops the database's messages of all topics
   * while there are too many a second: see `maxEventsPerSecond`. Null for no limit.
   */
  limitEvents(perSecond: number | null): void
  /**
   * Puts `tamper` between the database and the subscribers until the returned function is called:
   * to drop, duplicate, delay or reorder messages. The newest one sees a message first.
   */
  tamper(tamper: Tamper): () => void
}

/** Where the switches act: sockets are registered here, and every message from the database passes. */
export class Faults implements FaultSwitches {
  readonly #sockets = new Set<WebSocket>()
  readonly #tampers: Tamper[] = []
  readonly #settings: Pick<RealtimeSettings, 'maxEventsPerSecond'>
  readonly #rate: EventRate
  #replicating = true

  constructor(settings: Pick<RealtimeSettings, 'maxEventsPerSecond'>, rate: EventRate) {
    this.#settings = settings
    this.#rate = rate
  }

  get isReplicating(): boolean {
    return this.#replicating
  }

  watch(socket: WebSocket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  pass(broadcast: Broadcast, deliver: Deliver): void {
    const chain = this.#tampers.reduce<Deliver>(
      (next, tamper) => (message) => tamper(message, next),
      deliver,
    )
    chain(broadcast)
  }

  killSockets(): number {
    return this.#each((socket) => socket.terminate())
  }

  closeSockets(code = 1012, reason = 'Service restart'): number {
    return this.#each((socket) => socket.close(code, reason))
  }

  loseReplication(): void {
    this.#replicating = false
  }

  restoreReplication(): void {
    this.#replicating = true
  }

  limitEvents(perSecond: number | null): void {
    this.#settings.maxEventsPerSecond = perSecond ?? Infinity
    this.#rate.restart()
  }

  tamper(tamper: Tamper): () => void {
    this.#tampers.push(tamper)
    return () => {
      const index = this.#tampers.indexOf(tamper)
      if (index >= 0) this.#tampers.splice(index, 1)
    }
  }

  #each(act: (socket: WebSocket) => void): number {
    const sockets = [...this.#sockets]
    sockets.forEach(act)
    return sockets.length
  }
}
