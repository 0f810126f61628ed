import type { Broadcast } from '../realtime/dispatcher.ts'
import type { Tamper } from '../realtime/faults.ts'
import type { FaultState } from './state.ts'

type MessageFaultState = Pick<FaultState, 'dropShare' | 'duplicate' | 'delayMs' | 'reorder'>
type Deliver = (broadcast: Broadcast) => void

/** How long a message waits for another one to let past, in ms. */
const longestHold = 1_000

/** Loses, repeats, delays and reorders messages as the state says at the time. */
export class MessageFaults {
  readonly #state: MessageFaultState
  readonly #random: () => number
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Delivers the message of a topic that waits, at once. */
  readonly #held = new Map<string, () => void>()

  /** @param random - from 0 to 1, as `Math.random`. */
  constructor(state: MessageFaultState, random: () => number) {
    this.#state = state
    this.#random = random
  }

  readonly tamper: Tamper = (broadcast, deliver) => {
    if (this.#random() < this.#state.dropShare) return
    const send = (each: Broadcast) => {
      deliver(each)
      if (this.#state.duplicate) deliver(each)
    }
    const arrive = () => this.#arrive(broadcast, send)
    if (this.#state.delayMs > 0) this.#after(this.#state.delayMs, arrive)
    else arrive()
  }

  /** Forgets what has not arrived yet. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#held.clear()
  }

  #arrive(broadcast: Broadcast, send: Deliver): void {
    const key = `${broadcast.isPrivate}:${broadcast.topic}`
    const release = this.#held.get(key)
    if (release) {
      send(broadcast)
      release()
    } else if (this.#state.reorder) {
      this.#hold(key, () => send(broadcast))
    } else {
      send(broadcast)
    }
  }

  #hold(key: string, deliver: () => void): void {
    const release = () => {
      stopWaiting()
      this.#held.delete(key)
      deliver()
    }
    const stopWaiting = this.#after(longestHold, release)
    this.#held.set(key, release)
  }

  #after(milliseconds: number, work: () => void): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, milliseconds)
    this.#timers.add(timer)
    return () => {
      clearTimeout(timer)
      this.#timers.delete(timer)
    }
  }
}
