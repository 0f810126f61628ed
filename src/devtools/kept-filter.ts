/** Within so many ms after a tree was sent, devtools ask for it. They gather for 120 ms. */
const askedWithin = 300

/**
 * What is sought in the tree. When a plugin sends a new tree, devtools ask it for one without what
 * the developer has typed, and would show all of it although the field still has a text.
 */
export class KeptFilter {
  #kept = ''
  #sentAt = -Infinity

  /** A tree is about to be asked for. */
  readonly sent = (): void => {
    this.#sentAt = Date.now()
  }

  /** What to seek when devtools ask for a tree with this filter. */
  readonly of = (given: string): string => {
    const isOurs = given === '' && Date.now() - this.#sentAt < askedWithin
    this.#sentAt = -Infinity
    if (!isOurs) this.#kept = given
    return this.#kept
  }
}
