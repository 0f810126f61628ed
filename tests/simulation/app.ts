import { getEventListeners } from 'node:events'
import type { EffectScope } from 'vue'
import { usePgflowStatus } from '../../src/composables/use-pgflow-status.ts'
import { useFlow } from '../../src/composables/use-flow.ts'
import { useRun } from '../../src/composables/use-run.ts'
import { useRuns } from '../../src/composables/use-runs.ts'
import { useStep } from '../../src/composables/use-step.ts'
import type { AnyFlow } from '../../src/flow-types.ts'
import * as bounds from './bounds.ts'
import type { Calls } from './calls.ts'
import type { Client } from './client.ts'
import type { VirtualClock } from './clock.ts'
import { flowOf, flowSlug, inputOf, runIdOf } from './flows.ts'
import type { Answer } from './hearing.ts'
import type { AppEntry, ListPlan } from './plan.ts'
import { isEqual } from './projection.ts'
import { listOf, type ShownList } from './shown-list.ts'
import type { Truth } from './truth.ts'
import type { Violate } from './violation.ts'
import { watchEnds } from './watch-ends.ts'

interface Slot {
  runId: string | null
  flow: { runId: { value: string | null } } | null
  list: ShownList | null
  release: () => void
}

/** What the app works with. */
export interface AppParts {
  client: Client
  calls: Calls
  clock: VirtualClock
  truth: Truth
  /** Whether an answer may be older than what the app knows, or the run forged. */
  mayBeOutdated: (runId: string) => boolean
  isTainted: (runId: string) => boolean
  /** The last read of a run that was answered. */
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

/** An app that starts, observes, waits for and lets go of whatever its schedule says. */
export class SimulatedApp {
  readonly #parts: AppParts
  readonly #slots = new Map<number, Slot>()
  readonly #signals: AbortSignal[] = []
  /** Grows whenever the run, or everything, is forgotten. */
  readonly #generations = new Map<string, number>()
  #resets = 0

  constructor(parts: AppParts) {
    this.#parts = parts
    // A badge in the corner of the page.
    parts.client.mount(() => usePgflowStatus())
  }

  /** The runs that somebody observes. */
  get observed(): Set<string> {
    const ids = [...this.#slots.values()].flatMap(({ runId, flow }) => [runId, flow?.runId.value])
    return new Set(ids.filter((id) => typeof id === 'string'))
  }

  get lists(): ShownList[] {
    return [...this.#slots.values()].flatMap(({ list }) => list ?? [])
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
        return this.#observe(entry)
      case 'wait':
        return this.#wait(entry)
      case 'refresh':
        return this.#refresh(entry)
      case 'remove':
        return this.#remove(entry)
      case 'list':
        return this.#list(entry)
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
        return this.release(entry.slot)
      case 'reset':
        this.#parts.client.store.$reset()
        return this.forgetAll()
    }
  }

  /** Lets go of what a slot holds. */
  release(slot: number): void {
    this.#slots.get(slot)?.release()
    this.#slots.delete(slot)
  }

  /** What was shown so far counts no more. */
  forgetAll(): void {
    this.#resets += 1
    this.#parts.onForget(null)
  }

  /** Lets go of everything. */
  releaseAll(): void {
    for (const slot of this.#slots.keys()) this.release(slot)
  }

  #expect(name: string, bound: number, promise: Promise<unknown>): void {
    this.#parts.calls.expect(name, bound, promise)
  }

  #hold(slot: number, held: Partial<Slot> & { scope?: EffectScope; release?: () => void }): void {
    const before = this.#slots.get(slot)
    this.#slots.set(slot, {
      runId: held.runId ?? null,
      flow: held.flow ?? null,
      list: held.list ?? null,
      release: held.release ?? (() => held.scope?.stop()),
    })
    // Only now, as a component that takes over from another.
    before?.release()
  }

  #start({ run, via, abortAfter, slot }: Entry<'start'>): void {
    const { client, calls, clock } = this.#parts
    const runId = runIdOf(run)
    const giveUp = new AbortController()
    this.#signals.push(giveUp.signal)
    const options = { runId, signal: giveUp.signal }
    const isCurrent = this.#generationOf(runId)
    let started: Promise<unknown>
    if (via === 'flow') {
      const { result, scope } = client.mount(() => useFlow<AnyFlow>(flowOf(run)))
      started = result.startAsync(inputOf(run), options)
      this.#hold(slot, { flow: result, scope })
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

  #observe({ run, via, slot }: Entry<'observe'>): void {
    const { client } = this.#parts
    const runId = runIdOf(run)
    const isCurrent = this.#generationOf(runId)
    const expectReady = (ready: Promise<void>) => {
      const check = () => (isCurrent() && !this.#isShown(runId) ? 'the run is not shown' : null)
      this.#parts.calls.expect(`ready of run ${run}`, bounds.readCall, ready, check)
    }
    if (via === 'store') {
      const { ready, release } = client.store.observeRun(runId)
      expectReady(ready)
      return this.#hold(slot, { runId, release })
    }
    if (via === 'step') {
      const { scope } = client.mount(() => useStep(runId, 'first'))
      return this.#hold(slot, { runId, scope })
    }
    const { truth, violate } = this.#parts
    const generation = () => this.#generationOf(runId)
    const hooks = watchEnds({ runId, truth, violate, generation })
    const { result, scope } = client.mount(() => useRun(runId, hooks))
    expectReady(result.ready)
    this.#hold(slot, { runId, scope })
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
    for (const [slot, held] of this.#slots) {
      if (held.runId === runId || held.flow?.runId.value === runId) this.release(slot)
    }
    this.#parts.client.store.removeRun(runId)
    this.#parts.onForget(runId)
  }

  #list({ query, slot }: Entry<'list'>): void {
    const { result: handle, scope } = this.#parts.client.mount(() =>
      useRuns<AnyFlow>(listOf(query)),
    )
    this.#expect('ready of a list', bounds.readCall, handle.ready)
    this.#hold(slot, { list: { plan: query, handle }, scope })
  }

  #withList(slot: number, work: (list: ShownList) => void): void {
    const list = this.#slots.get(slot)?.list
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
