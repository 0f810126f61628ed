import type { RealtimeChannel } from '@supabase/supabase-js'

/** A message as a broadcast handler receives it. */
export interface Heard {
  event: string
  payload: Record<string, unknown>
  meta?: { id: string }
}

/** Collects what a channel says, and lets a test wait for it. */
export class Listener {
  readonly heard: Heard[] = []
  readonly statuses: { status: string; message?: string }[] = []
  readonly channel: RealtimeChannel
  readonly #waiting = new Set<() => void>()

  constructor(channel: RealtimeChannel) {
    this.channel = channel
    channel.on<Heard['payload']>('broadcast', { event: '*' }, (message) => {
      this.heard.push(message)
      this.#check()
    })
    channel.subscribe((status, error) => {
      this.statuses.push({ status, ...(error && { message: error.message }) })
      this.#check()
    })
  }

  /** Resolves when the status has been reported `times` times. */
  status(status: string, times = 1): Promise<void> {
    return this.#until(() => this.statuses.filter((each) => each.status === status).length >= times)
  }

  /** Resolves with the first message of this event. */
  async event(event: string): Promise<Heard> {
    await this.#until(() => this.heard.some((message) => message.event === event))
    const found = this.heard.find((message) => message.event === event)
    if (!found) throw new Error(`no ${event}`)
    return found
  }

  events(): string[] {
    return this.heard.map((message) => message.event)
  }

  #check(): void {
    for (const check of this.#waiting) check()
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition()) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
      check()
    })
  }
}
