import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/**
 * Told by Chromium, now and then, when it lets the test's own driver into the frame that shows the
 * HTML of a step: the frame runs no script, so it refuses that one too.
 */
const frameRefusesScripts = "error: Blocked script execution in 'about:srcdoc'"

/** Notes every error and warning of a page, to fail the test that did not ask for it. */
export class ConsoleWatch {
  readonly #seen: string[] = []
  readonly #expected: RegExp[] = []
  readonly #allowed: RegExp[] = []

  constructor(page: Page) {
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return
      const line = `${message.type()}: ${message.text()} (${message.location().url})`
      if (!line.startsWith(frameRefusesScripts)) this.#seen.push(line)
    })
    page.on('pageerror', (error) => this.#seen.push(`page error: ${error.stack ?? error.message}`))
    page.on('crash', () => this.#seen.push('the page crashed'))
  }

  /** Declares that the browser reports something that matches, as it does of failed requests. */
  expect(pattern: RegExp): void {
    this.#expected.push(pattern)
  }

  /** Declares what the browser may report, if the moment is such: of a request under way, say. */
  allow(pattern: RegExp): void {
    this.#allowed.push(pattern)
  }

  /** Fails if there was anything else, or if what was declared did not come. */
  check(): void {
    const declared = [...this.#expected, ...this.#allowed]
    const unexpected = this.#seen.filter((line) => !declared.some((each) => each.test(line)))
    const missing = this.#expected.filter((each) => !this.#seen.some((line) => each.test(line)))
    expect(unexpected, 'errors and warnings nobody asked for').toEqual([])
    expect(missing.map(String), 'errors and warnings that did not come').toEqual([])
  }
}
