import type { Scheduler } from '../model/scheduler.ts'
import type { Message } from './rows.ts'

/** Which messages a fault is for: so many of the next ones, or the next of one name. */
export type MessageSelection = number | string

type Pass = (message: Message) => void

interface MessageFault {
  left: number
  name: string | null
  act: (message: Message, pass: Pass) => void
}

/** What happens to broadcasts between the database and the app. */
export class MessageFaults {
  readonly #scheduler: Scheduler
  #faults: MessageFault[] = []
  /** Sent while broadcasts are paused. */
  #held: (() => void)[] | null = null

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Delivers a message, or applies the fault that is planned for it. */
  pass(message: Message, deliver: Pass): void {
    const fault = this.#faults.find(({ name }) => (name ?? message.name) === message.name)
    const send = (sent: Message) => {
      if (this.#held) this.#held.push(() => deliver(sent))
      else deliver(sent)
    }
    if (!fault) return send(message)
    fault.left -= 1
    if (fault.left === 0) this.#faults = this.#faults.filter((other) => other !== fault)
    fault.act(message, send)
  }

  drop(which: MessageSelection): void {
    this.#plan(which, () => {})
  }

  duplicate(which: MessageSelection): void {
    this.#plan(which, (message, pass) => {
      pass(message)
      pass(message)
    })
  }

  delay(ms: number, which: MessageSelection): void {
    this.#plan(which, (message, pass) => void this.#scheduler.after(ms, () => pass(message)))
  }

  malform(which: MessageSelection): void {
    this.#plan(which, (message, pass) => {
      pass({ ...message, payload: { ...message.payload, run_id: 7 } })
    })
  }

  /** The next `count` messages arrive together, the last one first. */
  reorder(count: number): void {
    const waiting: (() => void)[] = []
    this.#plan(count, (message, pass) => {
      waiting.unshift(() => pass(message))
      if (waiting.length === count) for (const arrive of waiting) arrive()
    })
  }

  pause(): void {
    this.#held ??= []
  }

  resume(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const arrive of held) arrive()
  }

  clear(): void {
    this.#faults = []
    this.resume()
  }

  #plan(which: MessageSelection, act: MessageFault['act']): void {
    const isName = typeof which === 'string'
    this.#faults.push({ left: isName ? 1 : which, name: isName ? which : null, act })
  }
}
