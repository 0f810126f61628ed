import { isTerminal, type RunConnection } from '../../src/model/entities.ts'
import * as bounds from './bounds.ts'
import type { ChangeWitness } from './change-witness.ts'
import { runOfId } from './flows.ts'
import type { Received } from './received.ts'
import type { Mode } from './plan.ts'
import { difference, isEqual, textOf, type Projection } from './projection.ts'
import type { Shown } from './shown.ts'
import type { RunTruth, Truth } from './truth.ts'
import type { Rule, Violate } from './violation.ts'

/** What the witness of runs looks at. */
export interface RunWitnessContext {
  shown: Shown
  truth: Truth
  received: Received
  changes: ChangeWitness
  mode: Mode
  now: () => number
  user: () => string | null
  isObserved: (runId: string) => boolean
  violate: Violate
}

/** What was shown of a run, if certain, since it was last dropped. */
interface Memory {
  firstStatus: unknown
  seq: number
  /** The run ('') and its steps that had ended, with what they had returned. */
  ended: Map<string, { status: unknown; output: unknown }>
}

/** Looks at the runs that a store shows after every step, and remembers what they have shown. */
export class RunWitness {
  readonly #context: RunWitnessContext
  readonly #memories = new Map<string, Memory>()

  constructor(context: RunWitnessContext) {
    this.#context = context
  }

  /** The run was removed, or all were: its state may start again. */
  forget(runId: string | null): void {
    if (runId === null) this.#memories.clear()
    else this.#memories.delete(runId)
  }

  check(runId: string): void {
    const { shown, truth, received } = this.#context
    const state = shown.state(runId)
    const connection = shown.connection(runId)
    const ofRun = truth.runs.get(runId)
    this.#checkFollowed(runId, connection)
    if (!state) {
      this.#memories.delete(runId)
      // The state of a run that has left the store starts again.
      this.#context.changes.forget(runId)
      return
    }
    // Of what is being started nothing is shown but what the app has given.
    if (state.run.status !== 'pending') this.#checkOwner(runId, ofRun)
    const memory = this.#memoryOf(runId, state)
    if (state.run.status !== 'pending') this.#checkRefused(runId, connection)
    const taint = received.taintOf(runId)
    const isCertain = connection !== undefined && claimsTruth(connection)
    if (taint) {
      memory.seq = 0
      if (isCertain && this.#isGenuine(state, connection, ofRun)) received.clean(runId)
      return
    }
    if (isCertain) this.#checkTruth(runId, state, connection, ofRun)
    this.#checkTakenBack(runId, state, connection, ofRun, memory)
    if (isCertain) this.#remember(runId, state, connection, ofRun, memory)
  }

  #memoryOf(runId: string, state: Projection): Memory {
    const known = this.#memories.get(runId)
    if (known) return known
    const made: Memory = { firstStatus: state.run.status, seq: 0, ended: new Map() }
    this.#memories.set(runId, made)
    return made
  }

  /** An observed run is followed, or has an error. */
  #checkFollowed(runId: string, connection: RunConnection | undefined): void {
    if (!this.#context.isObserved(runId)) return
    const { status = 'unknown' } = connection ?? {}
    if (status !== 'idle' && status !== 'unknown') return
    this.#say('followed', runId, `is observed, but its connection is ${status}`)
  }

  /** A run that was readable stays so for long enough before it counts as refused. */
  #checkRefused(runId: string, connection: RunConnection | undefined): void {
    const { received, now } = this.#context
    if (connection?.status !== 'closed' || connection.error === null) return
    const since = received.refusedSince(runId)
    if (since !== undefined && now() - since >= bounds.refusalStands) return
    this.#say('followed', runId, `is closed with ${connection.error.code}, and was hardly doubted`)
  }

  /** On private channels nobody is shown what was somebody else's. */
  #checkOwner(runId: string, truth: RunTruth | undefined): void {
    const { mode, user } = this.#context
    if (mode !== 'private' || !truth || truth.owner === user()) return
    this.#say('private', runId, `is of ${truth.owner}, and shown to ${user()}`)
  }

  /**
   * `live`, and `closed` without an error, mean that nothing is missing: the store is
   * the database at that `seq`, and nothing beyond it has come.
   */
  #checkTruth(
    runId: string,
    state: Projection,
    connection: RunConnection,
    truth: RunTruth | undefined,
  ): void {
    const { seq, status } = connection
    const { mode, received } = this.#context
    if (!truth) return this.#say('truth', runId, `is ${status}, and not in the database`)
    if (mode === 'plain' || mode === 'plain-old') {
      if (status === 'closed') this.#checkPlainEnd(runId, state, truth)
      return
    }
    const then = seq === null ? undefined : truth.bySeq.get(seq)
    if (!then) return this.#say('truth', runId, `is ${status} at ${seq}, which never was`)
    const wrong = difference(state, then)
    if (wrong) this.#say('truth', runId, `is ${status} at ${seq}, but not as it was then: ${wrong}`)
    const last = received.seqOf(runId)
    if ((seq ?? 0) < last) {
      this.#say('truth', runId, `is ${status} at ${seq}, but ${last} was received`)
    }
  }

  /** Without a seq, what is closed is as it was at some moment of its end. */
  #checkPlainEnd(runId: string, state: Projection, { moments }: RunTruth): void {
    const hasOutputs = this.#context.mode === 'plain'
    const ends = moments.filter((moment) => isTerminal(String(moment.state.run.status)))
    const wrongs = ends.map((moment) =>
      difference(withoutProgress(state), withoutProgress(moment.state), { hasOutputs }),
    )
    if (wrongs.includes(null)) return
    this.#say('truth', runId, `is closed, but never ended so: ${wrongs.at(-1) ?? 'it goes on'}`)
  }

  #isGenuine(state: Projection, { seq }: RunConnection, truth: RunTruth | undefined): boolean {
    const then = seq === null ? truth?.last.state : truth?.bySeq.get(seq)
    return then !== undefined && difference(state, then) === null
  }

  /** A confirmed end is never taken back, no output is lost, and the seq only grows. */
  #checkTakenBack(
    runId: string,
    state: Projection,
    connection: RunConnection | undefined,
    truth: RunTruth | undefined,
    memory: Memory,
  ): void {
    const seq = connection?.seq ?? 0
    // A seq that the database never had was forged: from that there is a way back.
    const isGenuine = truth === undefined || truth.bySeq.has(memory.seq)
    if (seq < memory.seq && isGenuine) {
      this.#say('taken-back', runId, `went back from ${memory.seq} to ${seq}`)
    }
    memory.seq = seq
    if (truth && truth.repairedAt !== null) return memory.ended.clear()
    for (const [slug, before] of memory.ended) {
      const row = slug === '' ? state.run : state.steps.get(slug)
      const name = slug === '' ? 'the run' : slug
      if (!row || row.status !== before.status) {
        const [then, now] = [textOf(before.status), textOf(row?.status) || 'absent']
        this.#say('taken-back', runId, `${name} was ${then}, then ${now}`)
      } else if (!isEqual(row.output, before.output) && before.output !== null) {
        this.#say('taken-back', runId, `${name} has lost its output`)
      }
    }
  }

  #remember(
    runId: string,
    state: Projection,
    { status }: RunConnection,
    truth: RunTruth | undefined,
    memory: Memory,
  ): void {
    if (truth?.repairedAt !== null) return
    const rows = [['', state.run] as const, ...state.steps]
    for (const [slug, row] of rows) {
      if (!isTerminal(String(row.status)) || (slug === '' && status !== 'closed')) continue
      memory.ended.set(slug, { status: row.status, output: row.output ?? null })
    }
    if (status !== 'closed' || isTerminal(String(memory.firstStatus))) return
    if (this.#context.changes.wasEmitted(runId, String(state.run.status))) return
    this.#say(
      'changes',
      runId,
      `has ended as ${String(state.run.status)}, and no change was emitted`,
    )
  }

  #say(rule: Rule, runId: string, text: string): void {
    this.#context.violate(rule, `run ${runOfId(runId)} ${text}`)
  }
}

/** Whether the status of a connection means that all of the run is shown. */
export function claimsTruth({ status, error }: RunConnection): boolean {
  return status === 'live' || (status === 'closed' && error === null)
}

/** Without a seq the progress of tasks is missing: plain pgflow does not broadcast it. */
function withoutProgress({ run, steps }: Projection): Projection {
  const kept = [...steps].map(([slug, step]) => [slug, { ...step, remaining_tasks: null }] as const)
  return { run: { ...run, remaining_steps: null }, steps: new Map(kept) }
}
