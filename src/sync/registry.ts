import type { Scheduler } from '../model/scheduler.ts'

/** A resource as one observer uses it. */
export interface Observation<Resource> {
  /**
   * Resolves once the resource is in the store. Rejects with a `PgflowError` when the first request
   * fails; failures that may pass are retried all the same.
   */
  ready: Promise<void>
  /** The current resource: a reset creates a new one. */
  resource: () => Resource
  /** Stops observing. The resource is dropped `gcTime` after the last observer has left. */
  release: () => void
}

/** What a registry needs from outside. */
export interface RegistryContext {
  scheduler: Scheduler
  /** How long a resource outlives its last observer, in ms. */
  gcTime: number
  isServer: boolean
  /** Called when the first resource is created. */
  onFirst: () => void
  /** Called when the last one is dropped. */
  onLast: () => void
}

/** What a registry calls on a resource. */
interface Held {
  open: () => void
  ready: () => Promise<void>
  dispose: (reason: string) => void
  readonly source: {
    readonly isShown: boolean
    readonly isNothing: boolean
    drop: () => void
    forget: () => void
  }
}

interface Entry<Resource> {
  resource: Resource
  create: () => Resource
  observers: number
  cancelGc: () => void
}

const notFollowed = 'It is not followed any more.'

/** All resources of one kind that somebody observes, each shared by its observers. */
export class Registry<Resource extends Held> {
  readonly #context: RegistryContext
  readonly #entries = new Map<string, Entry<Resource>>()

  constructor(context: RegistryContext) {
    this.#context = context
  }

  get size(): number {
    return this.#entries.size
  }

  /** All resources, as they are now. */
  get all(): Resource[] {
    return [...this.#entries.values()].map(({ resource }) => resource)
  }

  observe(key: string, create: () => Resource): Observation<Resource> {
    const entry = this.#hold(key, create)
    entry.resource.open()
    const ready = withCurrent(entry, (resource) => resource.ready())
    // Most callers watch the connection instead. Whoever awaits `ready` still receives the failure.
    ready.catch(() => undefined)
    return { ready, resource: () => entry.resource, release: this.#releaseOnce(key, entry) }
  }

  /**
   * Keeps a resource, followed or not, until `work` is done.
   * @param isRepeatable - whether `work` is repeated if the resource is replaced, as after a reset.
   * @throws whatever work throws
   */
  async use(
    key: string,
    create: () => Resource,
    work: (resource: Resource) => Promise<void>,
    isRepeatable: boolean,
  ): Promise<void> {
    const entry = this.#hold(key, create)
    try {
      await (isRepeatable ? withCurrent(entry, work) : work(entry.resource))
    } finally {
      this.#releaseOnce(key, entry)()
    }
  }

  /** Drops a resource, whoever observes it. */
  remove(key: string): void {
    const entry = this.#entries.get(key)
    if (entry) this.#drop(key, entry)
  }

  /**
   * Drops all state, and reads what is observed again.
   * @param onForgotten - called between the two.
   */
  restart(onForgotten = () => {}): void {
    const entries = [...this.#entries]
    // All are disposed first: what they share must not outlive any of them.
    for (const [, { resource }] of entries) {
      resource.dispose('The store was reset, or another user signed in.')
      resource.source.forget()
    }
    onForgotten()
    for (const [key, entry] of entries) {
      if (entry.observers === 0) this.#drop(key, entry)
      else {
        entry.resource = entry.create()
        entry.resource.open()
      }
    }
  }

  /** Leaves every channel and stops every timer. What is shown stays in the store. */
  dispose(): void {
    for (const [key, entry] of [...this.#entries])
      this.#drop(key, entry, !entry.resource.source.isShown)
  }

  #hold(key: string, create: () => Resource): Entry<Resource> {
    const known = this.#entries.get(key)
    if (!known && this.#entries.size === 0) this.#context.onFirst()
    const entry = known ?? { resource: create(), create, observers: 0, cancelGc: () => {} }
    this.#entries.set(key, entry)
    entry.cancelGc()
    entry.observers += 1
    return entry
  }

  #releaseOnce(key: string, entry: Entry<Resource>): () => void {
    let isReleased = false
    return () => {
      if (isReleased) return
      isReleased = true
      entry.observers -= 1
      if (entry.observers > 0 || this.#entries.get(key) !== entry) return
      const { scheduler, gcTime, isServer } = this.#context
      const drop = () => this.#drop(key, entry)
      if (isServer || entry.resource.source.isNothing) drop()
      else entry.cancelGc = scheduler.after(gcTime, drop)
    }
  }

  #drop(key: string, entry: Entry<Resource>, isForgotten = true): void {
    if (this.#entries.get(key) !== entry) return
    this.#entries.delete(key)
    entry.cancelGc()
    entry.resource.dispose(notFollowed)
    if (isForgotten) entry.resource.source.drop()
    if (this.#entries.size === 0) this.#context.onLast()
  }
}

/** Does `work` with the resource of an entry, and again if the resource was replaced meanwhile. */
async function withCurrent<Resource>(
  entry: Entry<Resource>,
  work: (resource: Resource) => Promise<void>,
): Promise<void> {
  const { resource } = entry
  try {
    await work(resource)
  } catch (error) {
    if (entry.resource === resource) throw error
    await withCurrent(entry, work)
  }
}
