import type { EffectScope } from 'vue'
import { useRun } from '../../src/composables/use-run.ts'
import { useRuns } from '../../src/composables/use-runs.ts'
import { useStep } from '../../src/composables/use-step.ts'
import type { AnyFlow } from '../../src/flow-types.ts'
import * as bounds from './bounds.ts'
import type { Bound, Calls } from './calls.ts'
import type { Client } from './client.ts'
import { runIdOf } from './flows.ts'
import type { Kept } from './kept.ts'
import type { AppEntry, ObserveVia } from './plan.ts'
import { listOf, type ShownList } from './shown-list.ts'
import type { Truth } from './truth.ts'
import type { Violate } from './violation.ts'
import { watchEnds } from './watch-ends.ts'

type Entry<Kind extends AppEntry['app']> = Extract<AppEntry, { app: Kind }>

/** What an app has mounted, or has left and may come back to. */
interface Slot {
  runId: string | null
  flow: { runId: { value: string | null } } | null
  list: ShownList | null
  release: () => void
  /** A component that is kept alive; null where it is unmounted when it is left. */
  kept: Kept<unknown> | null
  /** Observes the same again; null if that is not possible. */
  again: ((via: ObserveVia | null) => void) | null
}

/** What observers need of their app. */
export interface ObserverParts {
  client: Client
  calls: Calls
  truth: Truth
  violate: Violate
  /** Whether the store shows the run. */
  isShown: (runId: string) => boolean
  /** Returns whether nothing of the run was forgotten since it was called. */
  generationOf: (runId: string) => () => boolean
}

/** The components of an app that observe runs and lists: mounted, left and come back to. */
export class Observers {
  readonly #parts: ObserverParts
  readonly #slots = new Map<number, Slot>()
  /** Those that were unmounted and may come back. */
  readonly #left = new Map<number, Slot>()
  /** When what is kept alive was last come back to. */
  readonly #shownAt = new WeakMap<Kept<unknown>, number>()

  constructor(parts: ObserverParts) {
    this.#parts = parts
  }

  /** The runs that a component observes which is shown. */
  get runIds(): Set<string> {
    const ids = this.#active.flatMap(({ runId, flow }) => [runId, flow?.runId.value])
    return new Set(ids.filter((id) => typeof id === 'string'))
  }

  get lists(): ShownList[] {
    return this.#active.flatMap(({ list }) => list ?? [])
  }

  /** The list of a slot, be it one that is not shown. */
  listOf(slot: number): ShownList | null {
    return this.#slots.get(slot)?.list ?? null
  }

  /** Releases what a slot holds. */
  release(slot: number): void {
    this.#slots.get(slot)?.release()
    this.#slots.delete(slot)
    this.#left.delete(slot)
  }

  releaseAll(): void {
    for (const slot of [...this.#slots.keys(), ...this.#left.keys()]) this.release(slot)
  }

  releaseRun(runId: string): void {
    for (const [slot, held] of this.#slots) {
      if (held.runId === runId || held.flow?.runId.value === runId) this.release(slot)
    }
  }

  hold(slot: number, held: Partial<Slot> & { scope?: EffectScope }): void {
    const before = this.#slots.get(slot)
    const { kept = null, scope } = held
    this.#left.delete(slot)
    this.#slots.set(slot, {
      ...{ runId: null, flow: null, list: null, again: null, kept },
      release: () => (kept ? kept.stop() : scope?.stop()),
      ...held,
    })
    // Only now, as a component that takes over from another.
    before?.release()
  }

  /** A component is left: it is unmounted, or deactivated where it is kept alive. */
  leave({ slot, isKept }: Entry<'leave'>): void {
    const held = this.#slots.get(slot)
    if (!held) return
    if (isKept && held.kept) {
      if (held.kept.isShown()) held.kept.hide()
      return
    }
    this.release(slot)
    this.#left.set(slot, held)
  }

  /** A component is come back to; one that was not left is mounted anew within the same turn. */
  comeBack({ slot, via }: Entry<'return'>): void {
    const held = this.#slots.get(slot) ?? this.#left.get(slot)
    if (held?.kept && !held.kept.isShown() && this.#slots.has(slot)) {
      this.#shownAt.set(held.kept, this.#parts.calls.now)
      return held.kept.show()
    }
    if (!held?.again) return
    this.release(slot)
    held.again(via)
  }

  observe({ run, via, slot }: Entry<'observe'>): void {
    const runId = runIdOf(run)
    const again = (other: ObserveVia | null) => this.#observe(runId, slot, other ?? via, again)
    again(null)
  }

  list({ query, slot, isKept = false }: Entry<'list'>): void {
    const again = () => this.#list(query, slot, isKept, again)
    again()
  }

  /** How long a component that is kept alive may wait: not while it is not shown. */
  #boundOf(bound: number, kept: () => Kept<unknown> | null): Bound {
    const begunAt = this.#parts.calls.now
    return () => {
      const held = kept()
      if (!held) return bound
      if (!held.isShown()) return Infinity
      return (this.#shownAt.get(held) ?? begunAt) - begunAt + bound
    }
  }

  get #active(): Slot[] {
    return [...this.#slots.values()].filter(({ kept }) => kept?.isShown() !== false)
  }

  #observe(runId: string, slot: number, via: ObserveVia, again: Slot['again']): void {
    const { client, truth, violate, generationOf } = this.#parts
    if (via === 'store') {
      const { ready, release } = client.store.observeRun(runId)
      this.#expectReady(runId, ready, bounds.readCall)
      return this.hold(slot, { runId, release, again })
    }
    if (via === 'step') {
      const { scope } = client.mount(() => useStep(runId, 'first'))
      return this.hold(slot, { runId, scope, again })
    }
    const generation = () => generationOf(runId)
    let kept: Kept<unknown> | null = null
    const isShown = () => kept?.isShown() !== false
    const hooks = watchEnds({ runId, truth, violate, generation, isShown })
    if (via === 'run') {
      const { result, scope } = client.mount(() => useRun(runId, hooks))
      this.#expectReady(runId, result.ready, bounds.readCall)
      return this.hold(slot, { runId, scope, again })
    }
    const made = client.keep(() => useRun(runId, hooks))
    kept = made
    const bound = this.#boundOf(bounds.readCall, () => kept)
    this.#expectReady(runId, made.result.ready, bound)
    this.hold(slot, { runId, kept: made, again })
  }

  #expectReady(runId: string, ready: Promise<void>, bound: Bound): void {
    const { calls, generationOf, isShown } = this.#parts
    const isCurrent = generationOf(runId)
    const check = () => (isCurrent() && !isShown(runId) ? 'the run is not shown' : null)
    calls.expect(`ready of a run ${runId.slice(0, 8)}`, bound, ready, check)
  }

  #list(query: ShownList['plan'], slot: number, isKept: boolean, again: Slot['again']): void {
    const { client, calls } = this.#parts
    const work = () => useRuns<AnyFlow>(listOf(query))
    if (!isKept) {
      const { result: handle, scope } = client.mount(work)
      calls.expect('ready of a list', bounds.readCall, handle.ready)
      return this.hold(slot, { list: { plan: query, handle }, scope, again })
    }
    const kept = client.keep(work)
    const bound = this.#boundOf(bounds.readCall, () => kept)
    calls.expect('ready of a list', bound, kept.result.ready)
    this.hold(slot, { list: { plan: query, handle: kept.result }, kept, again })
  }
}
