import type { PageActivity } from '../sync/page-activity.ts'

/** A page that is visible and online as the test sets it. */
export class TestPageActivity implements PageActivity {
  readonly #watchers = new Set<() => void>()
  #isOnline = true
  #isVisible = true

  readonly isOnline = () => this.#isOnline
  readonly isVisible = () => this.#isVisible

  readonly watch = (onChange: () => void): (() => void) => {
    // Wrapped: the same function may watch twice.
    const watcher = () => onChange()
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  /** How many listen. */
  get watchers(): number {
    return this.#watchers.size
  }

  /** Reports a change, as a browser does: what is so already is not reported again. */
  become({
    isOnline = this.#isOnline,
    isVisible = this.#isVisible,
  }: {
    isOnline?: boolean
    isVisible?: boolean
  }): void {
    if (isOnline === this.#isOnline && isVisible === this.#isVisible) return
    this.#isOnline = isOnline
    this.#isVisible = isVisible
    for (const watcher of this.#watchers) watcher()
  }
}
