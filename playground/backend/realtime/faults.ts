import type { WebSocket } from 'ws'
import type { Broadcast } from './dispatcher.ts'

type Deliver = (broadcast: Broadcast) => void

/** Decides what becomes of a broadcast: deliver it never, once, twice, changed or later. */
export type Tamper = (broadcast: Broadcast, deliver: Deliver) => void

/** The switches that make the stand-in fail as the real server and the network do. */
export interface FaultSwitches {
  /** Cuts every connection without a closing handshake; clients see code 1006. Returns how many. */
  killSockets(): number
  /** Closes every connection as a restarting server does. Returns how many. */
  closeSockets(code?: number, reason?: string): number
  /** Loses every message committed until `resumeReplication`, as a dropped slot does. */
  pauseReplication(): void
  resumeReplication(): void
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
  #replicating = true

  get isReplicating(): boolean {
    return this.#replicating
  }

  watch(socket: WebSocket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  pass(broadcast: Broadcast, deliver: Deliver): void {
    if (!this.#replicating) return
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

  pauseReplication(): void {
    this.#replicating = false
  }

  resumeReplication(): void {
    this.#replicating = true
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
