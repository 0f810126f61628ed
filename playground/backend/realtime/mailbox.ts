type Task = () => void | Promise<void>

/**
 * Runs tasks one after another, at once where nothing is in front. It is to a socket what the
 * mailbox of its process is on the real server: while a join is being decided, everything else,
 * heartbeats and broadcasts included, waits behind it.
 */
export class Mailbox {
  #tasks: Task[] = []
  #busy = false
  #closed = false

  push(task: Task): void {
    if (this.#closed) return
    this.#tasks.push(task)
    if (!this.#busy) this.#drain()
  }

  /** Forgets what has not begun; nothing is accepted any more. */
  close(): void {
    this.#closed = true
    this.#tasks = []
  }

  #drain(): void {
    this.#busy = true
    for (let task = this.#tasks.shift(); task; task = this.#tasks.shift()) {
      const pending = task()
      if (pending) {
        void pending.finally(() => this.#drain())
        return
      }
    }
    this.#busy = false
  }
}
