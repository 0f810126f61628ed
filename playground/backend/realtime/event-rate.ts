import type { RealtimeSettings } from './settings.ts'

/** So many ticks back the average goes: a minute. */
const mostTicks = 12

/**
 * Counts messages and deliveries of all clients together, as the real server does for a project.
 * Only at a tick it finds out that they are too many a second, on the average of what it remembers;
 * and so it finds out that they no longer are.
 */
export class EventRate {
  readonly #settings: Pick<RealtimeSettings, 'maxEventsPerSecond' | 'eventTickMs'>
  #limit = Infinity
  #isOver = false
  #count = 0
  /** The counts of the last ticks, the newest first. */
  #ticks: number[] = []
  #lastTick = 0

  constructor(settings: Pick<RealtimeSettings, 'maxEventsPerSecond' | 'eventTickMs'>) {
    this.#settings = settings
  }

  /** Whether there are too many: messages of the database are not delivered. */
  get isOver(): boolean {
    this.#tick()
    return this.#isOver
  }

  add(events = 1): void {
    this.#tick()
    this.#count += events
  }

  /** Forgets what it has counted. */
  restart(): void {
    this.#limit = this.#settings.maxEventsPerSecond
    this.#isOver = false
    this.#count = 0
    this.#ticks = []
    this.#lastTick = performance.now()
  }

  /** Makes up for the ticks since the last look: without a limit nobody has to wake up for them. */
  #tick(): void {
    const { maxEventsPerSecond, eventTickMs } = this.#settings
    if (maxEventsPerSecond !== this.#limit) return this.restart()
    const passed = Math.floor((performance.now() - this.#lastTick) / eventTickMs)
    this.#lastTick += passed * eventTickMs
    for (let tick = 0; tick < Math.min(passed, mostTicks + 1); tick += 1) {
      this.#ticks = [this.#count, ...this.#ticks].slice(0, mostTicks)
      this.#count = 0
      const sum = this.#ticks.reduce((total, count) => total + count, 0)
      const perSecond = sum / this.#ticks.length / (eventTickMs / 1_000)
      this.#isOver = perSecond >= this.#limit
    }
  }
}
