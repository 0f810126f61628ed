import type { Json } from '../../src/model/entities.ts'
import { MemoryDatabase, type ReadRun } from '../../src/testing/database.ts'
import {
  DatabaseError,
  type Message,
  type SnapshotRow,
  type SummaryRow,
} from '../../src/testing/rows.ts'
import type { RunRecord } from '../../src/testing/run-record.ts'
import { runTopic } from '../../src/model/wire.ts'
import { flowOf, flows, inputOf, runIdOf } from './flows.ts'
import type { WorkEntry } from './plan.ts'
import { afterEvent, difference, projectionOf, textOf, type Projection } from './projection.ts'

/** When the database's clock begins: its times are after all seqs of counters that were lost. */
const epoch = Date.UTC(2026, 0, 1)

/** Outputs that are easily lost. */
const emptyOutputs: readonly Json[] = [null, false, 0, '', []]

/** A run at one moment. */
interface Moment {
  at: number
  snapshot: SnapshotRow
  state: Projection
}

/** All that ever was of one run. */
export class RunTruth {
  readonly record: RunRecord
  readonly moments: Moment[] = []
  /** What a client can be at that has missed nothing, by seq. */
  readonly bySeq = new Map<number, Projection>()
  /** Statuses that the run ('') and its steps ever had. */
  readonly everHad = new Map<string, Set<unknown>>()
  isDeleted = false
  /** When it last went on although it had ended. */
  repairedAt: number | null = null

  constructor(record: RunRecord) {
    this.record = record
  }

  get last(): Moment {
    const last = this.moments.at(-1)
    if (!last) throw new Error('A run without a moment.')
    return last
  }

  get owner(): string | null {
    return this.record.owner
  }

  /** As it was at a time; undefined before it was started. */
  asOf(time: number): SnapshotRow | undefined {
    return this.moments.findLast(({ at }) => at <= time)?.snapshot
  }

  /** Takes over what a transaction has done. @throws Error where its events do not lead there. */
  commit(at: number, messages: readonly Message[]): void {
    const snapshot = this.record.snapshot()
    const state = projectionOf(snapshot)
    let replayed = this.moments.at(-1)?.state
    for (const message of messages) {
      // What a run is, and all of its steps, only a snapshot tells.
      replayed = afterEvent(replayed ?? createdOf(state), message)
      this.bySeq.set(Number(message.payload.seq), replayed)
    }
    const wrong = replayed && difference(replayed, state)
    if (wrong) throw new Error(`The events of the model do not lead to its rows: ${wrong}`)
    this.bySeq.set(snapshot.seq, state)
    this.moments.push({ at, snapshot, state })
    this.#note('', state.run.status)
    for (const [slug, step] of state.steps) this.#note(slug, step.status)
    // Within one transaction a step can start and end.
    for (const { payload } of messages) this.#note(textOf(payload.step_slug), payload.status)
  }

  #note(slug: string, status: unknown): void {
    const known = this.everHad.get(slug) ?? new Set()
    this.everHad.set(slug, known.add(status))
  }
}

/** What a worker returns: now and then nothing much. */
function outputOf(slug: string, roll: number, index: number): Json {
  const [empty] = emptyOutputs.slice(Math.floor(roll * 1_000) % 40)
  return empty === undefined ? { of: slug, roll, list: [index, null] } : empty
}

function createdOf({ run, steps }: Projection): Projection {
  const created = [...steps.keys()].map((slug) => [slug, { status: 'created' }] as const)
  return { run, steps: new Map(created) }
}

/** What the truth needs of its world. */
export interface TruthContext {
  now: () => number
  isPrivate: boolean
  /** A message is sent. */
  onMessage: (message: Message) => void
  onCommit: (run: RunTruth) => void
}

/** The database of a schedule, and all that it ever held. */
export class Truth {
  readonly database: MemoryDatabase
  readonly runs = new Map<string, RunTruth>()
  /** Changes with each transaction. */
  version = 0
  readonly #context: TruthContext
  #sent: Message[] = []

  constructor(context: TruthContext) {
    this.#context = context
    this.database = new MemoryDatabase({
      flows,
      isPrivate: context.isPrivate,
      maxPayloadBytes: 200_000,
      onMessage: (message) => this.#sent.push(message),
      onStart: () => {},
      now: () => epoch + context.now(),
    })
  }

  /** Starts a run as a caller of the API. @throws DatabaseError */
  start(slug: string, input: Json, runId: string, caller: string | null): void {
    // Who deletes runs does not start others under their ids: they would count from 1 again.
    if (this.runs.get(runId)?.isDeleted) throw new DatabaseError('PT409', 'It was deleted.')
    this.#transaction(() => this.database.startFlow(slug, input, runId, caller))
  }

  /** Does the action of an entry of a schedule, if that is possible now. */
  work(entry: WorkEntry, owner: string | null): boolean {
    const runId = runIdOf(entry.run)
    const truth = this.runs.get(runId)
    if (entry.work === 'seed') {
      if (truth) return false
      const seed = () => this.database.seedRun(flowOf(entry.run), inputOf(entry.run), runId, owner)
      this.#transaction(seed)
      return true
    }
    if (!truth || truth.isDeleted) return false
    return this.#workOn(truth, entry)
  }

  /** The runs of a list, as the database has them now. */
  list(
    query: { flow: string | null; status: string | null },
    caller: string | null,
    limit: number,
  ): SummaryRow[] {
    if (caller === null) return []
    return this.database.list({ ...query, before: null, limit }, caller, this.reading(null))
  }

  /** How a copy of the database reads that is behind by so many ms. */
  reading(lag: number | null): ReadRun {
    return (record) => {
      const truth = this.runs.get(record.run.run_id)
      return lag === null ? truth?.last.snapshot : truth?.asOf(this.#context.now() - lag)
    }
  }

  #workOn(truth: RunTruth, entry: Exclude<WorkEntry, { work: 'seed' }>): boolean {
    const { record } = truth
    if (entry.work === 'delete') {
      this.database.deleteRun(record.run.run_id)
      truth.isDeleted = true
      this.version += 1
      return true
    }
    if (entry.work === 'lose-counter') this.#transaction(() => record.loseCounter(), truth)
    else if (entry.work === 'repair') {
      if (record.run.status !== 'failed') return false
      truth.repairedAt = this.#context.now()
      this.#transaction(() => record.repair())
    } else if (record.isOver) return false
    else if (entry.work === 'fail') this.#transaction(() => record.failRun('ended by hand'))
    else if (entry.work === 'finish') this.#finish(record)
    else return this.#step(record, entry.roll, entry.of)
    return true
  }

  /** Workers do all that is left of a run. */
  #finish(record: RunRecord): void {
    // Nothing fails by a roll of a half.
    while (!record.isOver && this.#step(record, 0.5, 0));
  }

  /** A worker does something with one of the steps that are under way. */
  #step(record: RunRecord, roll: number, of: number): boolean {
    const open = record.flow.steps.filter(({ slug }) => record.step(slug)?.status === 'started')
    const step = open[of % Math.max(1, open.length)]
    if (!step) return false
    const index = Math.max(
      0,
      record.tasks(step.slug).findIndex((task) => !task.isDone),
    )
    const isBeforeMap = record.flow.steps.some(
      (each) => each.isMap && each.deps.includes(step.slug),
    )
    const output = isBeforeMap
      ? Array.from({ length: Math.floor(roll * 50) % 5 }, (_, item) => item)
      : outputOf(step.slug, roll, index)
    this.#transaction(() => {
      if (roll < 0.05) record.failTask(step, `${step.slug} is broken`)
      else if (roll < 0.15) record.retryTask(step, index, `attempt at ${step.slug} failed`)
      else if (roll < 0.2 && !isBeforeMap) record.skipStep(step, 'condition_unmet')
      else record.completeTask(step, index, output)
    })
    return true
  }

  /** @param touched - a run that changes without a message. */
  #transaction(work: () => unknown, touched?: RunTruth): void {
    work()
    this.version += 1
    const sent = this.#sent
    this.#sent = []
    for (const topic of new Set(sent.map((message) => message.topic))) {
      const record = this.database.find(topic.slice(runTopic('').length))
      const messages = sent.filter((message) => message.topic === topic)
      if (record) this.#commit(record, messages)
    }
    if (touched && sent.length === 0) this.#commit(touched.record, [])
    for (const message of sent) this.#context.onMessage(message)
  }

  #commit(record: RunRecord, messages: readonly Message[]): void {
    const { run_id } = record.run
    const truth = this.runs.get(run_id) ?? new RunTruth(record)
    this.runs.set(run_id, truth)
    truth.commit(this.#context.now(), messages)
    this.#context.onCommit(truth)
  }
}
