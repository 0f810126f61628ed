import type { RunSnapshot } from '../model/entities.ts'
import type { RunEvent } from '../model/wire.ts'
import type { SessionChange } from '../transport/types.ts'
import { RunChannelBudget } from './run-channel-budget.ts'
import { LiveResource, type ResourceContext } from './live-resource.ts'
import { Registry, type Observation } from './registry.ts'
import { RunSource } from './run-source.ts'
import { SnapshotBatch } from './snapshot-batch.ts'
import { startRun, type StartRequest } from './start-run.ts'
import { RunSubscription } from './subscription.ts'
import type { RunContext, SyncContext } from './types.ts'

/** What keeps one run up to date. */
export type RunResource = LiveResource<RunSnapshot | null, RunEvent, RunSource>

/** A run as one observer uses it. */
export type RunObservation = Pick<Observation<RunResource>, 'ready' | 'release'>

/** All runs that somebody observes or starts. */
export class Runs {
  readonly #context: RunContext & ResourceContext
  readonly #registry: Registry<RunResource>
  #stopWatching = () => {}

  constructor(context: SyncContext) {
    const { transport, scheduler, times, isServer } = context
    this.#context = {
      ...context,
      stallAfter: times.stallAfter,
      batch: new SnapshotBatch(transport, scheduler, times.snapshotTimeout),
      budget: new RunChannelBudget(isServer ? 0 : channelsForRuns(context)),
    }
    this.#registry = new Registry({
      scheduler,
      gcTime: times.gcTime,
      isServer,
      onFirst: () => this.#watch(),
      onLast: () => this.#stopWatching(),
    })
  }

  observe(runId: string): RunObservation {
    const { ready, release } = this.#registry.observe(runId, () => this.#create(runId))
    return { ready, release }
  }

  /** @throws PgflowError */
  start(runId: string, request: StartRequest): Promise<void> {
    const start = (resource: RunResource) => startRun(this.#context, resource, request)
    // Not repeated after a reset: another user is signed in, or the start is not wanted any more.
    return this.#registry.use(runId, () => this.#create(runId), start, false)
  }

  /** @throws PgflowError */
  refresh(runId: string): Promise<void> {
    const refresh = (resource: RunResource) => resource.refresh()
    return this.#registry.use(runId, () => this.#create(runId), refresh, true)
  }

  /** Stops following a run, whoever observes it, and drops it from the store. */
  remove(runId: string): void {
    this.#registry.remove(runId)
    this.#context.state.forget(runId)
  }

  /** Drops all state, and reads what is observed again. */
  restart(): void {
    this.#restart(() => {})
  }

  /** Another user is signed in, or the same user has a new token. */
  onSessionChange(change: SessionChange): void {
    const { transport, state } = this.#context
    // Without private channels, anybody who has the id of a run may read it.
    if (change === 'user' && !transport.joinsBeforeStart) return this.#restart(() => state.clear())
    for (const resource of this.#registry.all) resource.onNewToken()
  }

  /** Leaves every channel and stops every timer. */
  dispose(): void {
    this.#context.budget.dispose()
    this.#registry.dispose()
    this.#context.batch.dispose()
  }

  #restart(onForgotten: () => void): void {
    // A subscription that waits would open its channel only to close it at once.
    this.#context.budget.dispose()
    this.#registry.restart(onForgotten)
  }

  #create(runId: string): RunResource {
    const source = new RunSource(runId, this.#context)
    return new LiveResource(
      source,
      this.#context,
      (handlers) => new RunSubscription(runId, this.#context, handlers),
    )
  }

  #watch(): void {
    const { pageActivity, isServer } = this.#context
    if (isServer) return
    this.#stopWatching = pageActivity.watch(() => {
      for (const resource of this.#registry.all) resource.wake()
    })
  }
}

/** Leaves one channel for the feed of the lists, where there is a feed. */
function channelsForRuns({ maxChannels, transport }: SyncContext): number {
  return !transport.joinsBeforeStart && maxChannels > 1 ? maxChannels - 1 : maxChannels
}
