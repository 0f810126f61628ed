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

  become(state: { isOnline?: boolean; isVisible?: boolean }): void {
    this.#isOnline = state.isOnline ?? this.#isOnline
    this.#isVisible = state.isVisible ?? this.#isVisible
    for (const watcher of this.#watchers) watcher()
  }
}
