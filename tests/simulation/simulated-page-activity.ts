/** What the browser reports of a page. */
interface PageState {
  isVisible: boolean
  isOnline: boolean
}

/** A page that is hidden and without network now and then. */
export class SimulatedPageActivity {
  readonly #watchers = new Set<() => void>()
  #state: PageState = { isVisible: true, isOnline: true }

  readonly isVisible = () => this.#state.isVisible
  readonly isOnline = () => this.#state.isOnline

  readonly watch = (onChange: () => void): (() => void) => {
    const watcher = () => onChange()
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  get watchers(): number {
    return this.#watchers.size
  }

  /** Everything is well, or nothing is. */
  toggle(): void {
    const isGood = !this.#state.isVisible
    this.become({ isVisible: isGood, isOnline: isGood })
  }

  restore(): void {
    this.become({ isVisible: true, isOnline: true })
  }

  become(change: Partial<PageState>): void {
    const { isVisible, isOnline } = { ...this.#state, ...change }
    if (isVisible === this.#state.isVisible && isOnline === this.#state.isOnline) return
    this.#state = { isVisible, isOnline }
    for (const watcher of this.#watchers) watcher()
  }
}
