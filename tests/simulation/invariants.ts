import { toRaw } from 'vue'
import {
  isTerminal,
  stepKey,
  type PgflowStep,
  type RunConnection,
  type RunSnapshot,
} from '../../src/model/entities.ts'
import { isSameJson } from '../../src/model/json.ts'
import type { createRunTable } from '../../src/engine/run-table.ts'
import type { SimulatedNetwork } from './network.ts'

/** What the store shows. */
export type State = Pick<
  ReturnType<typeof createRunTable>,
  'runs' | 'steps' | 'stepOrder' | 'connections'
>

type Rows = { [Table in keyof State]: State[Table]['value'] }

/** Looks at the store after every step of a schedule, and remembers what it has shown. */
export class Witness {
  /** The rows themselves: looking at them through Vue's proxies after every step is slow. */
  readonly #rows: Rows
  readonly #network: SimulatedNetwork
  readonly #observes: (runId: string) => boolean
  /** What was shown before, by run and then by run, step or `seq`. */
  readonly #shown = new Map<string, Map<string, string | number>>()

  constructor(state: State, network: SimulatedNetwork, observes: (runId: string) => boolean) {
    this.#rows = {
      runs: toRaw(state.runs.value),
      steps: toRaw(state.steps.value),
      stepOrder: toRaw(state.stepOrder.value),
      connections: toRaw(state.connections.value),
    }
    this.#network = network
    this.#observes = observes
  }

  /** The run was removed: it may begin anew. */
  forget(runId: string): void {
    this.#shown.delete(runId)
  }

  /** Whether the store says that the run is not there or not to be seen: it is not asked for again. */
  isRefused(runId: string): boolean {
    const connection = this.#rows.connections[runId]
    return connection?.status === 'closed' && connection.error !== null
  }

  /** What must hold at any moment, and does not. */
  check(runIds: readonly string[]): string[] {
    return [
      ...runIds.flatMap((runId) => [
        ...this.#takenBack(runId),
        ...this.#untrue(runId),
        ...this.#unfollowed(runId),
      ]),
      ...this.#network.channelViolations(),
    ]
  }

  /** What must hold when the last fault is long past, and does not. */
  divergences(runIds: readonly string[]): string[] {
    const going = runIds.filter(
      (runId) => !isTerminal(this.#network.database.snapshot(runId)?.run.status ?? ''),
    )
    const isHeard = ({ status, error }: RunConnection) =>
      status === 'live' || error?.code === 'realtime_silent'
    const live = Object.values(this.#rows.connections).filter(isHeard)
    const broken = runIds.flatMap((runId) => this.#divergencesOf(runId))
    if (live.length < Math.min(going.length, this.#network.maxChannels)) {
      broken.push('a channel is free, but a run is not live')
    }
    return broken
  }

  #divergencesOf(runId: string): string[] {
    const truth = this.#network.database.snapshot(runId)
    if (!truth) return [`${runId} was never started`]
    const connection = this.#rows.connections[runId]
    const { status = 'absent', error = null, seq = null } = connection ?? {}
    const expected = isTerminal(truth.run.status) ? ['closed'] : ['live', 'polling']
    const broken: string[] = []
    if (!this.#isShown(truth)) broken.push(`${runId} differs from the database`)
    if (!expected.includes(status)) broken.push(`${runId} (${truth.run.status}) is ${status}`)
    if (error && error.code !== 'realtime_silent')
      broken.push(`${runId} keeps the error ${error.code}`)
    if (seq !== truth.seq) broken.push(`${runId} is at ${seq ?? 'no seq'}, not ${truth.seq ?? 0}`)
    return broken
  }

  /** An end is never shown before it is there nor taken back, no output is lost, seq only grows. */
  #takenBack(runId: string): string[] {
    const run = this.#rows.runs[runId]
    if (!run) {
      this.#shown.delete(runId)
      return []
    }
    const shown = this.#shown.get(runId) ?? new Map<string, string | number>()
    this.#shown.set(runId, shown)
    const broken: string[] = []
    const truth = this.#network.database.snapshot(runId)
    const look = (key: string, row: { status: string; output: unknown }, actual?: string) => {
      if (!isTerminal(row.status)) return
      if (row.status !== actual) broken.push(`${key} is ${actual}, but shown as ${row.status}`)
      const now = `${row.status} ${row.output === null ? 'without' : 'with'} output`
      if ((shown.get(key) ?? now) !== now) broken.push(`${key} was ${shown.get(key)}, then ${now}`)
      shown.set(key, now)
    }
    look(runId, run, truth?.run.status)
    for (const step of truth?.steps ?? []) {
      const key = stepKey(runId, step.step_slug)
      const row = this.#rows.steps[key]
      if (row) look(key, row, step.status)
      if (shown.has(key) && !isTerminal(row?.status ?? '')) broken.push(`${key} is not over`)
    }
    if (shown.has(runId) && !isTerminal(run.status)) broken.push(`${runId} is not over`)
    const seq = this.#rows.connections[runId]?.seq ?? 0
    const before = Number(shown.get('seq') ?? 0)
    if (seq < before) broken.push(`${runId} went back from ${before} to ${seq}`)
    shown.set('seq', seq)
    return broken
  }

  /**
   * `live`, and `closed` without an error, say that nothing is known to be missing: the store is
   * the database at that `seq`, and no broadcast beyond it has come, or is known to be lost. What
   * was lost without a trace, or hidden by an outdated replica, nobody can know.
   */
  #untrue(runId: string): string[] {
    const connection = this.#rows.connections[runId]
    if (!connection || !claimsTruth(connection)) return []
    const { status, seq } = connection
    const truth = seq === null ? null : this.#network.database.at(runId, seq)
    if (!truth) return [`${runId} is ${status} at ${seq ?? 'no seq'}, which never was`]
    if (!this.#isShown(truth)) return [`${runId} is ${status}, but not as it was at ${truth.seq}`]
    const known = this.#network.mayBeOutdated ? 0 : this.#network.known(runId)
    if ((seq ?? 0) >= known) return []
    return [`${runId} is ${status} at ${seq}, but ${known} is known`]
  }

  /** What is observed is followed, or says why not. */
  #unfollowed(runId: string): string[] {
    const status = this.#rows.connections[runId]?.status
    if (!this.#observes(runId) || (status !== undefined && status !== 'idle')) return []
    return [`${runId} is observed, but ${status ?? 'unknown'}`]
  }

  #isShown(truth: RunSnapshot): boolean {
    const runId = truth.run.run_id
    const steps = (this.#rows.stepOrder[runId] ?? []).flatMap((slug): PgflowStep[] => {
      const step = this.#rows.steps[stepKey(runId, slug)]
      return step ? [step] : []
    })
    return isSameJson(this.#rows.runs[runId], truth.run) && isSameJson(steps, truth.steps)
  }
}

function claimsTruth({ status, error }: RunConnection): boolean {
  return status === 'live' || (status === 'closed' && error === null)
}
