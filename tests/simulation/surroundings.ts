import type { Surroundings } from '../../src/sync/wake.ts'

/** A page that is hidden and without network now and then. */
export class SimulatedSurroundings implements Surroundings {
  readonly #watchers = new Set<() => void>()
  #isGood = true

  readonly isVisible = () => this.#isGood
  readonly isOnline = () => this.#isGood

  readonly watch = (onChange: () => void): (() => void) => {
    this.#watchers.add(onChange)
    return () => void this.#watchers.delete(onChange)
  }

  get watchers(): number {
    return this.#watchers.size
  }

  toggle(): void {
    this.#become(!this.#isGood)
  }

  restore(): void {
    if (!this.#isGood) this.#become(true)
  }

  #become(isGood: boolean): void {
    this.#isGood = isGood
    for (const watcher of this.#watchers) watcher()
  }
}
