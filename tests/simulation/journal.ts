/** What happened in a schedule, in order; written only where somebody will read it. */
export class Journal {
  readonly lines: string[] = []
  readonly #isKept: boolean
  readonly #now: () => number

  constructor(isKept: boolean, now: () => number) {
    this.#isKept = isKept
    this.#now = now
  }

  get isKept(): boolean {
    return this.#isKept
  }

  /** @param text - made only if it is kept. */
  note(text: () => string): void {
    if (this.#isKept) this.lines.push(`${this.#now().toFixed(0).padStart(9)}  ${text()}`)
  }
}
