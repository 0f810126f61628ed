import type { RunChange } from '../../src/model/changes.ts'
import { isTerminal } from '../../src/model/entities.ts'
import { runOfId } from './flows.ts'
import type { Hearing } from './hearing.ts'
import { isEqual } from './projection.ts'
import type { Truth } from './truth.ts'
import type { Violate } from './violation.ts'

/** Hears what the store tells its app of changes: each is true by then, and told once. */
export class ChangeWitness {
  readonly #truth: Truth
  readonly #hearing: Hearing
  readonly #violate: Violate
  readonly #told = new Map<string, Set<string>>()

  constructor(truth: Truth, hearing: Hearing, violate: Violate) {
    this.#truth = truth
    this.#hearing = hearing
    this.#violate = violate
  }

  wasTold(runId: string, status: string): boolean {
    return this.#told.get(runId)?.has(`run ${status}`) ?? false
  }

  forget(runId: string | null): void {
    if (runId === null) this.#told.clear()
    else this.#told.delete(runId)
  }

  readonly hear = (change: RunChange): void => {
    const { run_id: runId } = change.run
    const truth = this.#truth.runs.get(runId)
    const name = `run ${runOfId(runId)}`
    const what = describe(change)
    const told = this.#told.get(runId) ?? new Set<string>()
    this.#told.set(runId, told)
    const isTainted = this.#hearing.taintOf(runId) !== undefined
    if (told.has(what) && truth?.repairedAt == null && !isTainted) {
      this.#violate('changes', `${name}: "${what}" was told twice`)
    }
    // What a stranger has sent may come true later.
    if (!isTainted || isEndOf(change)) told.add(what)
    if (!truth) return this.#violate('changes', `${name}: "${what}" was told before it exists`)
    if (change.kind === 'retry') return
    const slug = change.kind === 'step' ? change.step.step_slug : ''
    const { status, output } = change.kind === 'step' ? change.step : change.run
    // What a stranger sends may show, but no end of a run is told before the database has it.
    if (isTainted && !isEndOf(change)) return
    if (!truth.everHad.get(slug)?.has(status)) {
      return this.#violate('changes', `${name}: "${what}" was told, and never was`)
    }
    if (change.kind !== 'run' || status !== 'completed') return
    if (truth.moments.some(({ state }) => isEqual(state.run.output, output))) return
    this.#violate('changes', `${name}: "${what}" was told with an output that it never had`)
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
