import { getEventListeners } from 'node:events'
import { usePgflowStatus } from '../../src/composables/use-pgflow-status.ts'
import { useFlow } from '../../src/composables/use-flow.ts'
import type { AnyFlow } from '../../src/flow-types.ts'
import * as bounds from './bounds.ts'
import type { Calls } from './calls.ts'
import type { Client } from './client.ts'
import type { VirtualClock } from '../support/virtual-clock.ts'
import { flowOf, flowSlug, inputOf, runIdOf } from './flows.ts'
import type { Answer } from './received.ts'
import { Observers } from './observers.ts'
import type { AppEntry, ListPlan } from './plan.ts'
import { isEqual } from './projection.ts'
import { listOf, type ShownList } from './shown-list.ts'
import type { Truth } from './truth.ts'
import type { Violate } from './violation.ts'

/** What the app works with. */
export interface AppParts {
  client: Client
  calls: Calls
  clock: VirtualClock
  truth: Truth
  /** Whether a snapshot may be older than what the app holds, or the run forged. */
  mayBeOutdated: (runId: string) => boolean
  isTainted: (runId: string) => boolean
  /** The last request of a run that has succeeded. */
  answerOf: (runId: string) => Answer | undefined
  /** What the app shows of a run counts no more: it was removed, or everything was. */
  onForget: (runId: string | null) => void
  /**
   * How often a further page was asked for, by query: observers of one list share it, and so does
   * the next page, which is given the state of this one.
   */
  more: Map<string, number>
  violate: Violate
}

type Entry<Kind extends AppEntry['app']> = Extract<AppEntry, { app: Kind }>

/** An app that starts, observes, waits for and releases runs as its schedule says. */
export class SimulatedApp {
  readonly #parts: AppParts
  readonly #observers: Observers
  readonly #signals: AbortSignal[] = []
  /** Grows whenever the run, or everything, is forgotten. */
  readonly #generations = new Map<string, number>()
  #resets = 0

  constructor(parts: AppParts) {
    this.#parts = parts
    const { client, calls, truth, violate } = parts
    this.#observers = new Observers({
      ...{ client, calls, truth, violate },
      isShown: (runId) => this.#isShown(runId),
      generationOf: (runId) => this.#generationOf(runId),
    })
    // A badge in the corner of the page.
    client.mount(() => usePgflowStatus())
  }

  /** The runs that somebody observes. */
  get observed(): Set<string> {
    return this.#observers.runIds
  }

  get lists(): ShownList[] {
    return this.#observers.lists
  }

  /** How many pages of a list were asked for. */
  pagesOf(plan: ListPlan): number {
    return 1 + (this.#parts.more.get(JSON.stringify(plan)) ?? 0)
  }

  /** Signals of the app on which something still listens. */
  get heldSignals(): number {
    return this.#signals.filter((signal) => getEventListeners(signal, 'abort').length > 0).length
  }

  do(entry: Exclude<AppEntry, { app: 'reload' | 'sign-in' }>): void {
    switch (entry.app) {
      case 'start':
        return this.#start(entry)
      case 'observe':
        return this.#observers.observe(entry)
      case 'wait':
        return this.#wait(entry)
      case 'refresh':
        return this.#refresh(entry)
      case 'remove':
        return this.#remove(entry)
      case 'list':
        return this.#observers.list(entry)
      case 'more':
        return this.#withList(entry.slot, (list) => {
          const { more } = this.#parts
          const key = JSON.stringify(list.plan)
          more.set(key, (more.get(key) ?? 0) + 1)
          this.#expect('loadMore', bounds.readCall, list.handle.loadMore())
        })
      case 'reread':
        return this.#withList(entry.slot, ({ handle }) =>
          this.#expect('refresh of a list', bounds.readCall, handle.refresh()),
        )
      case 'page':
        return void this.#parts.calls.expect(
          'fetchRuns',
          bounds.snapshotTimeout + 1_000,
          this.#parts.client.lists.fetchRuns<AnyFlow>(listOf(entry.query)),
        )
      case 'flow':
        return this.#expect(
          'fetchFlow',
          bounds.snapshotTimeout + 1_000,
          this.#parts.client.store.fetchFlow<AnyFlow>(flowSlug(entry.flow)),
        )
      case 'release':
        return this.#observers.release(entry.slot)
      case 'leave':
        return this.#observers.leave(entry)
      case 'return':
        return this.#observers.comeBack(entry)
      case 'reset':
        this.#parts.client.store.$reset()
        return this.forgetAll()
    }
  }

  /** What was shown so far counts no more. */
  forgetAll(): void {
    this.#resets += 1
    this.#parts.onForget(null)
  }

  /** Releases everything. */
  releaseAll(): void {
    this.#observers.releaseAll()
  }

  #expect(name: string, bound: number, promise: Promise<unknown>): void {
    this.#parts.calls.expect(name, bound, promise)
  }

  #start({ run, via, abortAfter, slot }: Entry<'start'>): void {
    const { client, calls, clock } = this.#parts
    const runId = runIdOf(run)
    const giveUp = new AbortController()
    this.#signals.push(giveUp.signal)
    const options = { runId, signal: giveUp.signal }
    const isCurrent = this.#generationOf(runId)
    let started: Promise<unknown>
    const work = () => useFlow<AnyFlow>(flowOf(run))
    if (via === 'flow') {
      const { result, scope } = client.mount(work)
      started = result.startAsync(inputOf(run), options)
      this.#observers.hold(slot, { flow: result, scope })
    } else if (via === 'kept') {
      const kept = client.keep(work)
      started = kept.result.startAsync(inputOf(run), options)
      this.#observers.hold(slot, { flow: kept.result, kept })
    } else started = client.store.startFlow<AnyFlow>(flowOf(run), inputOf(run), options)
    const abort = calls.expect(`start of run ${run}`, bounds.startCall, started, () => {
      if (!this.#parts.truth.runs.has(runId)) return 'the database has no such run'
      return isCurrent() && !this.#isShown(runId) ? 'the run is not shown as started' : null
    })
    if (abortAfter === null) return
    clock.after(abortAfter, () => {
      giveUp.abort()
      abort()
    })
  }

  #wait({ run, timeout, abortAfter }: Entry<'wait'>): void {
    const { client, calls, clock, truth } = this.#parts
    const runId = runIdOf(run)
    const giveUp = new AbortController()
    this.#signals.push(giveUp.signal)
    const options = { signal: giveUp.signal, ...(timeout === null ? {} : { timeout }) }
    const had = (status: string) => truth.runs.get(runId)?.everHad.get('')?.has(status) ?? false
    const abort = calls.expect(
      `waitForRun of run ${run}`,
      (timeout ?? Infinity) + 1_000,
      client.store.waitForRun(runId, options),
      ({ output, status }) => {
        if (status !== 'completed' || !had('completed')) return 'the run has not completed'
        const outputs = truth.runs.get(runId)?.moments.map(({ state }) => state.run.output) ?? []
        return outputs.some((each) => isEqual(each, output)) ? null : 'with another output'
      },
      ({ code }) => (code === 'run_failed' && !had('failed') ? 'the run has not failed' : null),
    )
    if (abortAfter === null) return
    clock.after(abortAfter, () => {
      giveUp.abort()
      abort()
    })
  }

  #refresh({ run }: Entry<'refresh'>): void {
    const { client, calls, clock, truth, mayBeOutdated, answerOf, isTainted } = this.#parts
    const runId = runIdOf(run)
    const isCurrent = this.#generationOf(runId)
    const asked = truth.runs.get(runId)?.last.snapshot.seq ?? 0
    const shownSeq = client.store.connections[runId]?.seq ?? null
    const askedAt = clock.time
    const wasTainted = isTainted(runId)
    calls.expect(
      `refreshRun of run ${run}`,
      bounds.readCall,
      client.store.refreshRun(runId),
      () => {
        if (!isCurrent()) return null
        if (!this.#isShown(runId)) return 'the run is not shown'
        const answer = answerOf(runId)
        if (!answer || answer.askedAt < askedAt) return 'no read of the run was answered since'
        const isOld =
          (answer.seq ?? 0) < (shownSeq ?? 0) && clock.time < askedAt + bounds.outdatedFor
        if (isOld && !wasTainted && !isTainted(runId)) return 'the only answer was an outdated one'
        const seq = client.store.connections[runId]?.seq ?? null
        if (seq === null || seq >= asked || mayBeOutdated(runId)) return null
        return `the run is shown at ${seq}, and was at ${asked} when it was asked for`
      },
    )
  }

  #remove({ run }: Entry<'remove'>): void {
    const runId = runIdOf(run)
    this.#generations.set(runId, (this.#generations.get(runId) ?? 0) + 1)
    this.#observers.releaseRun(runId)
    this.#parts.client.store.removeRun(runId)
    this.#parts.onForget(runId)
  }

  #withList(slot: number, work: (list: ShownList) => void): void {
    const list = this.#observers.listOf(slot)
    if (list) work(list)
  }

  #isShown(runId: string): boolean {
    return (this.#parts.client.store.runById(runId)?.status ?? 'pending') !== 'pending'
  }

  /** Whether nothing of the run was forgotten since now. */
  #generationOf(runId: string): () => boolean {
    const generation = this.#generations.get(runId) ?? 0
    const resets = this.#resets
    return () => (this.#generations.get(runId) ?? 0) === generation && this.#resets === resets
  }
}
