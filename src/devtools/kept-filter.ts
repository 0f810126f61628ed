/** In ms. Devtools request a tree within this time after one was sent; they wait for 120 ms. */
const askedWithin = 300

/**
 * Keeps the text of the search field. When a plugin sends a new tree, devtools request it without
 * that text, and would show the whole tree although the field is not empty.
 */
export class KeptFilter {
  #kept = ''
  #sentAt = -Infinity

  /** A tree was sent, and will be requested. */
  readonly sent = (): void => {
    this.#sentAt = Date.now()
  }

  /** The text to filter by when devtools request a tree with this filter. */
  readonly of = (given: string): string => {
    const isOurs = given === '' && Date.now() - this.#sentAt < askedWithin
    this.#sentAt = -Infinity
    if (!isOurs) this.#kept = given
    return this.#kept
  }
}
