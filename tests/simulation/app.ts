import { PgflowError } from '../../src/errors.ts'
import type { RunState } from '../../src/sync/types.ts'
import type { RunObservation, Runs } from '../../src/sync/runs.ts'
import type { VirtualClock } from './clock.ts'
import type { SimulatedNetwork } from './network.ts'

/** What the app works with. */
export interface AppParts {
  manager: Runs
  clock: VirtualClock
  network: SimulatedNetwork
  sink: RunState
  /** Told when the app removes a run: what was shown of it counts no more. */
  onRemove: (runId: string) => void
}

/**
 * An app that starts, observes, refreshes, lets go of and removes runs, sensibly or not, and takes
 * every promise at its word.
 */
export class SimulatedApp {
  /** Promises that were not kept. */
  readonly violations: string[] = []
  readonly #parts: AppParts
  readonly #observations = new Map<string, RunObservation>()
  /** Observations that are over, or of runs that were removed: letting go of them changes nothing. */
  readonly #dead: RunObservation[] = []
  readonly #removals = new Map<string, number>()
  #calls = 0

  constructor(parts: AppParts) {
    this.#parts = parts
  }

  /** Calls that have neither resolved nor rejected. */
  get openCalls(): number {
    return this.#calls
  }

  observes(runId: string): boolean {
    return this.#observations.has(runId)
  }

  observe(runId: string): void {
    const observation = this.#parts.manager.observe(runId)
    // Before the old one is released, as a component that takes over from another.
    this.#observations.get(runId)?.release()
    this.#observations.set(runId, observation)
    this.#expect('ready', runId, observation.ready, () => this.#isShown(runId))
  }

  release(runId: string): void {
    this.#dead.pop()?.release()
    const observation = this.#observations.get(runId)
    this.#observations.delete(runId)
    if (!observation) return
    observation.release()
    this.#dead.push(observation)
  }

  /** Lets go of a run for good. */
  leave(runId: string): void {
    this.release(runId)
    for (const observation of this.#dead.splice(0)) observation.release()
  }

  refresh(runId: string): void {
    const { manager, network, sink } = this.#parts
    const asked = network.database.snapshot(runId)?.seq ?? 0
    const isCurrent = () => {
      const seq = sink.held(runId)?.seq ?? -1
      return network.mayBeOutdated ? seq >= 0 : seq >= asked
    }
    this.#expect('refresh', runId, manager.refresh(runId), isCurrent)
  }

  /** @param patience - after how many ms the caller gives up, if ever. */
  start(runId: string, patience?: number): void {
    const { manager, clock } = this.#parts
    const giveUp = new AbortController()
    const request = { flowSlug: 'f', input: { of: runId }, signal: giveUp.signal }
    const started = manager.start(runId, request)
    const call = this.#expect('start', runId, started, () => this.#isShown(runId))
    if (patience === undefined) return
    clock.after(patience, () => {
      giveUp.abort()
      clock.after(5, () => {
        if (call.isOpen) this.violations.push(`start of ${runId} went on after it was given up`)
      })
    })
  }

  remove(runId: string): void {
    const { manager, onRemove } = this.#parts
    const observation = this.#observations.get(runId)
    if (observation) this.#dead.push(observation)
    this.#observations.delete(runId)
    this.#removals.set(runId, this.#removalsOf(runId) + 1)
    manager.remove(runId)
    onRemove(runId)
  }

  /** Does something with a run, or nothing. */
  doSomething(runId: string): void {
    const { random } = this.#parts.clock
    const dice = random()
    if (dice < 0.3) this.observe(runId)
    else if (dice < 0.55) this.release(runId)
    else if (dice < 0.7) this.refresh(runId)
    else if (dice < 0.85) this.start(runId, random() < 0.5 ? random() * 400 : undefined)
    else if (dice < 0.92) this.remove(runId)
  }

  #isShown(runId: string): boolean {
    return (this.#parts.sink.held(runId)?.run.status ?? 'pending') !== 'pending'
  }

  #removalsOf(runId: string): number {
    return this.#removals.get(runId) ?? 0
  }

  #expect(name: string, runId: string, call: Promise<void>, isKept: () => boolean) {
    const removals = this.#removalsOf(runId)
    const state = { isOpen: true }
    this.#calls += 1
    const done = () => {
      this.#calls -= 1
      state.isOpen = false
    }
    call.then(
      () => {
        done()
        if (this.#removalsOf(runId) === removals && !isKept()) {
          this.violations.push(`${name} of ${runId} resolved too early`)
        }
      },
      (error: unknown) => {
        done()
        if (error instanceof PgflowError) return
        this.violations.push(`${name} of ${runId} was rejected with ${String(error)}`)
      },
    )
    return state
  }
}
