/** What a message that waits takes besides its content: objects, buffers and a place in a queue. */
const overheadBytes = 1_000

/** The memory of messages that wait for somebody, in bytes. */
export class Backlog {
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** Counts a message of so many bytes until the returned function is called. */
  hold(bytes: number): () => void {
    const held = bytes + overheadBytes
    this.#bytes += held
    return () => {
      this.#bytes -= held
    }
  }
}
