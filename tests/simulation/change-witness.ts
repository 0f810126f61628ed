import type { RunChange } from '../../src/model/changes.ts'
import { isTerminal } from '../../src/model/entities.ts'
import { runOfId } from './flows.ts'
import type { Received } from './received.ts'
import { isEqual } from './projection.ts'
import type { Truth } from './truth.ts'
import type { Violate } from './violation.ts'

/** Listens to the changes that the store emits: each is true by then, and emitted once. */
export class ChangeWitness {
  readonly #truth: Truth
  readonly #received: Received
  readonly #violate: Violate
  readonly #emitted = new Map<string, Set<string>>()

  constructor(truth: Truth, received: Received, violate: Violate) {
    this.#truth = truth
    this.#received = received
    this.#violate = violate
  }

  wasEmitted(runId: string, status: string): boolean {
    return this.#emitted.get(runId)?.has(`run ${status}`) ?? false
  }

  forget(runId: string | null): void {
    if (runId === null) this.#emitted.clear()
    else this.#emitted.delete(runId)
  }

  readonly check = (change: RunChange): void => {
    const { run_id: runId } = change.run
    const truth = this.#truth.runs.get(runId)
    const name = `run ${runOfId(runId)}`
    const what = describe(change)
    const emitted = this.#emitted.get(runId) ?? new Set<string>()
    this.#emitted.set(runId, emitted)
    const isTainted = this.#received.taintOf(runId) !== undefined
    if (emitted.has(what) && truth?.repairedAt == null && !isTainted) {
      this.#violate('changes', `${name}: "${what}" was emitted twice`)
    }
    // What a stranger has sent may come true later.
    if (!isTainted || isEndOf(change)) emitted.add(what)
    if (!truth) return this.#violate('changes', `${name}: "${what}" was emitted before it exists`)
    if (change.kind === 'retry') return
    const slug = change.kind === 'step' ? change.step.step_slug : ''
    const { status, output } = change.kind === 'step' ? change.step : change.run
    // Forged state may be shown, but no end of a run is emitted before the database has it.
    if (isTainted && !isEndOf(change)) return
    if (!truth.everHad.get(slug)?.has(status)) {
      return this.#violate('changes', `${name}: "${what}" was emitted, and never was`)
    }
    if (change.kind !== 'run' || status !== 'completed') return
    if (truth.moments.some(({ state }) => isEqual(state.run.output, output))) return
    this.#violate('changes', `${name}: "${what}" was emitted with an output that it never had`)
  }
}

function isEndOf(change: RunChange): boolean {
  return change.kind === 'run' && isTerminal(change.run.status)
}

function describe(change: RunChange): string {
  if (change.kind === 'run') return `run ${change.run.status}`
  if (change.kind === 'step') return `${change.step.step_slug} ${change.step.status}`
  const { task_index, attempts_count } = change.retry
  return `${change.step.step_slug} task ${task_index} attempt ${attempts_count}`
}
