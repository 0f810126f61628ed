import { ChannelBudget } from './channel-budget.ts'
import { RunSync } from './run-sync.ts'
import { SnapshotBatch } from './snapshot-batch.ts'
import type { StartRequest } from './start-run.ts'
import type { RunSyncContext, SyncContext } from './types.ts'

/** One observer's hold on a run. */
export interface RunObservation {
  /**
   * Resolves once the run is in the store; rejects with a `PgflowError` when the first attempt to
   * read it fails. What may pass by itself is tried again all the same.
   */
  ready: Promise<void>
  /** Lets go. The channel closes a little after the last observer has left. */
  release: () => void
}

interface Entry {
  sync: RunSync
  observers: number
  cancelGc: () => void
}

/** Resolves once the run is in the store, also if everything was forgotten and begun anew meanwhile. */
async function readyOf(entry: Entry): Promise<void> {
  const { sync } = entry
  try {
    await sync.ready()
  } catch (error) {
    if (entry.sync === sync) throw error
    await readyOf(entry)
  }
}

/** All runs that somebody observes: one sync a run, shared and counted. */
export class SyncManager {
  readonly #context: RunSyncContext
  readonly #entries = new Map<string, Entry>()
  #stopWatching = () => {}

  constructor(context: SyncContext) {
    const { transport, scheduler, times, isServer } = context
    const maxChannels = isServer ? 0 : context.maxChannels
    this.#context = {
      ...context,
      batch: new SnapshotBatch(transport, scheduler, times.snapshotTimeout),
      budget: new ChannelBudget(maxChannels),
    }
  }

  observe(runId: string): RunObservation {
    const entry = this.#hold(runId)
    entry.sync.open()
    const ready = readyOf(entry)
    // Most callers look at the connection instead; those who do await it still see the failure.
    ready.catch(() => undefined)
    return { ready, release: this.#releaseOnce(runId, entry) }
  }

  /** @throws PgflowError */
  async start(runId: string, request: StartRequest): Promise<void> {
    const entry = this.#hold(runId)
    try {
      await entry.sync.start(request)
    } finally {
      this.#releaseOnce(runId, entry)()
    }
  }

  /** @throws PgflowError */
  async refresh(runId: string): Promise<void> {
    const entry = this.#hold(runId)
    try {
      await entry.sync.refresh()
    } finally {
      this.#releaseOnce(runId, entry)()
    }
  }

  /** Stops following a run, whoever observes it, and drops it from the store. */
  remove(runId: string): void {
    const entry = this.#entries.get(runId)
    this.#entries.delete(runId)
    entry?.cancelGc()
    entry?.sync.dispose()
    this.#context.sink.forget(runId)
    if (this.#entries.size === 0) this.#stopWatching()
  }

  /** Forgets all that is held; what somebody observes is read anew. */
  restart(): void {
    for (const [runId, entry] of this.#entries) {
      if (entry.observers === 0) {
        this.remove(runId)
        continue
      }
      entry.sync.dispose()
      this.#context.sink.forget(runId)
      entry.sync = new RunSync(runId, this.#context)
      entry.sync.open()
    }
  }

  /** Leaves every channel and stops every timer. */
  dispose(): void {
    this.#stopWatching()
    this.#context.budget.dispose()
    for (const [runId, { sync, cancelGc }] of this.#entries) {
      cancelGc()
      sync.dispose()
      if (!sync.isShown) this.#context.sink.forget(runId)
    }
    this.#entries.clear()
    this.#context.batch.dispose()
  }

  #hold(runId: string): Entry {
    const known = this.#entries.get(runId)
    const entry = known ?? {
      sync: new RunSync(runId, this.#context),
      observers: 0,
      cancelGc: () => {},
    }
    if (!known) {
      if (this.#entries.size === 0) this.#watchSurroundings()
      this.#entries.set(runId, entry)
    }
    entry.cancelGc()
    entry.observers += 1
    return entry
  }

  #drop(runId: string, entry: Entry): void {
    this.#entries.delete(runId)
    entry.sync.dispose()
    if (this.#entries.size === 0) this.#stopWatching()
  }

  #watchSurroundings(): void {
    this.#stopWatching()
    const stop = this.#context.surroundings.watch(() => {
      for (const { sync } of this.#entries.values()) sync.wake()
    })
    this.#stopWatching = () => {
      this.#stopWatching = () => {}
      stop()
    }
  }

  #releaseOnce(runId: string, entry: Entry): () => void {
    let isReleased = false
    return () => {
      if (isReleased) return
      isReleased = true
      entry.observers -= 1
      if (entry.observers > 0 || this.#entries.get(runId) !== entry) return
      const { scheduler, times, isServer } = this.#context
      if (entry.sync.isNothing) this.remove(runId)
      else if (isServer) this.#drop(runId, entry)
      else entry.cancelGc = scheduler.after(times.gcTime, () => this.#drop(runId, entry))
    }
  }
}
