type SessionChange = 'user' | 'token'

/** Who is signed in, in a schedule. */
export class SimulatedSession {
  #user: string | null
  readonly #watchers = new Set<(change: SessionChange) => void>()

  constructor(user: string | null) {
    this.#user = user
  }

  readonly user = (): string | null => this.#user

  get watchers(): number {
    return this.#watchers.size
  }

  readonly watch = (onChange: (change: SessionChange) => void): (() => void) => {
    const watcher = (change: SessionChange) => onChange(change)
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  become(user: string | null): void {
    if (user === this.#user) return
    this.#user = user
    this.#emit('user')
  }

  renewToken(): void {
    this.#emit('token')
  }

  #emit(change: SessionChange): void {
    for (const watcher of [...this.#watchers]) watcher(change)
  }
}
