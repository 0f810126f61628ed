import type { FlowShape, Json } from '../model/entities.ts'
import { isSameJson } from '../model/json.ts'
import { runTopic, userTopic } from '../model/wire.ts'
import { shapeOfFlow, type FlowDefinition } from './definition.ts'
import { jsonbBytes } from './jsonb-size.ts'
import {
  DatabaseError,
  RowClock,
  type Message,
  type PageQuery,
  type SnapshotRow,
  type SummaryRow,
} from './rows.ts'
import type { ReplayedRun } from './replayed-run.ts'
import { RunRecord } from './run-record.ts'

/** What a database in memory is made with. */
export interface DatabaseOptions {
  flows: readonly FlowDefinition[]
  isPrivate: boolean
  /** The most bytes of a payload; a larger one is sent without its output and input. */
  maxPayloadBytes: number
  onMessage: (message: Message) => void
  /** Called with each run that the app has started. */
  onStart: (record: RunRecord) => void
  /**
   * The time of its rows, in ms since 1970.
   * @default that of `Date`, so that a fake clock decides it
   */
  now?: () => number
}

/** A run as it can be read: one that workers work on, or one that was recorded. */
export type ReadableRun = Pick<RunRecord, 'run' | 'owner' | 'snapshot'>

/** A run as some copy of the database has it: by default, as it is. Undefined: not there yet. */
export type ReadRun = (record: ReadableRun) => SnapshotRow | undefined

/**
 * The functions of this project's SQL over runs in memory. They refuse the same calls, with the
 * same codes and messages.
 */
export class MemoryDatabase {
  readonly #flows: ReadonlyMap<string, FlowDefinition>
  readonly #runs = new Map<string, RunRecord>()
  readonly #replayed = new Map<string, ReplayedRun>()
  /** The shapes of the flows of recorded runs, unless they are defined. */
  readonly #recordedShapes = new Map<string, FlowShape>()
  readonly #forbidden = new Set<string>()
  readonly #options: DatabaseOptions
  readonly #clock: RowClock

  constructor(options: DatabaseOptions) {
    this.#options = options
    this.#clock = new RowClock(options.now ?? (() => Date.now()))
    this.#flows = new Map(options.flows.map((flow) => [flow.slug, flow]))
  }

  /** All runs, in the order in which they were started. */
  get runs(): readonly RunRecord[] {
    return [...this.#runs.values()]
  }

  /** The run of an id. */
  find(runId: string): RunRecord | undefined {
    return this.#runs.get(runId)
  }

  /** Puts a recorded run into the database. @throws DatabaseError */
  addReplay(run: ReplayedRun, shape: FlowShape | null): void {
    const { run_id } = run.run
    if (this.#has(run_id)) throw taken(run_id)
    this.#replayed.set(run_id, run)
    if (shape) this.#recordedShapes.set(shape.flow_slug, shape)
  }

  /** Deletes a run: nothing is sent of that. */
  deleteRun(runId: string): void {
    this.#runs.delete(runId)
  }

  /** `allow_start` and `disallow_start`. */
  allowStart(flowSlug: string, isAllowed: boolean): void {
    if (isAllowed) this.#forbidden.delete(flowSlug)
    else this.#forbidden.add(flowSlug)
  }

  /** `start_flow_with_states`, as the user `caller`. @throws DatabaseError */
  startFlow(flowSlug: string, input: Json, runId: string, caller: string | null): RunRecord {
    const flow = this.#checkStart(flowSlug, input, caller)
    const known = this.#runs.get(runId)
    if (known) {
      const isSame = known.run.flow_slug === flowSlug && isSameJson(known.run.input, input)
      if (isSame && this.mayRead(known, caller)) return known
      throw taken(runId)
    }
    if (this.#replayed.has(runId)) throw taken(runId)
    const started = this.#insert(flow, input, runId, caller)
    this.#options.onStart(started)
    return started
  }

  /** Starts a run past all permissions, as the owner of the database does. @throws DatabaseError */
  seedRun(flowSlug: string, input: Json, runId: string, owner: string | null): RunRecord {
    const flow = this.#definition(flowSlug)
    this.#checkInput(flow, input)
    if (this.#has(runId)) throw taken(runId)
    return this.#insert(flow, input, runId, owner)
  }

  #insert(flow: FlowDefinition, input: Json, runId: string, owner: string | null): RunRecord {
    const context = {
      now: () => this.#clock.next(),
      onCommit: (committed: RunRecord, messages: readonly Message[]) => {
        this.#runs.set(runId, committed)
        for (const message of messages) this.send(committed, message)
      },
    }
    return new RunRecord(flow, { runId, input, owner }, context)
  }

  /** `get_runs_with_states`: unknown runs and those of other users are left out. */
  snapshots(
    runIds: readonly string[],
    caller: string | null,
    read: ReadRun = (record) => record.snapshot(),
  ): SnapshotRow[] {
    const records = runIds.flatMap(
      (runId): ReadableRun | [] => this.#runs.get(runId) ?? this.#replayed.get(runId) ?? [],
    )
    return records
      .filter((record) => this.mayRead(record, caller))
      .flatMap((record) => read(record) ?? [])
  }

  /** `list_runs`. @throws DatabaseError */
  list(
    { flow, status, before, limit }: PageQuery,
    caller: string | null,
    read: ReadRun = (record) => record.snapshot(),
  ): SummaryRow[] {
    if (caller === null) {
      throw new DatabaseError(
        'PT401',
        'Sign in to list your runs.',
        'Sign in first (an anonymous sign-in will do), or read single runs by their id.',
      )
    }
    if (limit < 1 || limit > 100) {
      const message = `A page of ${limit} runs is not possible.`
      throw new DatabaseError('PT422', message, 'Ask for 1 to 100 runs.')
    }
    return [...this.runs, ...this.#replayed.values()]
      .filter((record) => record.owner === caller)
      .flatMap((record) => read(record) ?? [])
      .map(summaryOf)
      .filter(({ run }) => run.flow_slug === (flow ?? run.flow_slug))
      .filter(({ run }) => run.status === (status ?? run.status))
      .filter(({ cursor }) => before === null || cursor < before)
      .sort((a, b) => (a.cursor < b.cursor ? 1 : -1))
      .slice(0, limit)
  }

  /** `get_flow`; undefined for an unknown flow. */
  flow(flowSlug: string): FlowShape | undefined {
    const flow = this.#flows.get(flowSlug)
    return flow ? shapeOfFlow(flow) : this.#recordedShapes.get(flowSlug)
  }

  #definition(flowSlug: string): FlowDefinition {
    const flow = this.#flows.get(flowSlug)
    if (flow) return flow
    throw new DatabaseError(
      'PT404',
      `There is no flow "${flowSlug}".`,
      `Add it to the flows of createTestPgflow; it has ${[...this.#flows.keys()].join(', ') || 'none'}.`,
    )
  }

  /** Whether a user sees a run. */
  mayRead(record: ReadableRun, caller: string | null): boolean {
    return !this.#options.isPrivate || (caller !== null && record.owner === caller)
  }

  /** Whether a user may listen on a topic. */
  mayListen(topic: string, caller: string | null): boolean {
    if (!this.#options.isPrivate) return true
    if (caller === null) return false
    const runId = topic.slice(runTopic('').length)
    const record = this.#runs.get(runId) ?? this.#replayed.get(runId)
    return topic === userTopic(caller) || record?.owner === caller
  }

  /** Refuses the calls that `start_flow_with_states` refuses. */
  #checkStart(flowSlug: string, input: Json, caller: string | null): FlowDefinition {
    const flow = this.#definition(flowSlug)
    if (this.#options.isPrivate && caller === null) {
      throw new DatabaseError(
        'PT401',
        `Sign in to start the flow "${flowSlug}".`,
        'Sign in first (an anonymous sign-in will do), then start the flow again.',
      )
    }
    if (this.#forbidden.has(flowSlug)) {
      const role = caller === null ? 'anon' : 'authenticated'
      throw new DatabaseError(
        'PT403',
        `The role "${role}" may not start the flow "${flowSlug}".`,
        `Allow it in a migration: select pgflow_client.allow_start('${flowSlug}', '${role}');`,
      )
    }
    this.#checkInput(flow, input)
    return flow
  }

  /** Refuses an input that no run of the flow can have. */
  #checkInput(flow: FlowDefinition, input: Json): void {
    if (input === null) {
      throw new DatabaseError(
        'PT422',
        `The input of the flow "${flow.slug}" is missing.`,
        "Pass the flow's input, or {} for a flow that needs none.",
      )
    }
    if (Array.isArray(input)) return
    if (flow.steps.some(({ isMap, deps }) => isMap && deps.length === 0)) {
      throw new DatabaseError(
        'PT422',
        `The input of the flow "${flow.slug}" must be an array.`,
        'Pass an array: the flow runs one task for each of its elements.',
      )
    }
  }

  #has(runId: string): boolean {
    return this.#runs.has(runId) || this.#replayed.has(runId)
  }

  /** Sends a change of a run. */
  send({ owner, run }: Pick<RunRecord, 'owner' | 'run'>, message: Message): void {
    const { isPrivate, maxPayloadBytes, onMessage } = this.#options
    onMessage({ ...message, payload: fit(message.payload, maxPayloadBytes) })
    if (!isPrivate || owner === null || 'step_slug' in message.payload) return
    const { input: _input, output: _output, ...payload } = message.payload
    // The place of the run in a list.
    const { started_at } = run
    onMessage({ topic: userTopic(owner), name: message.name, payload: { started_at, ...payload } })
  }
}

function summaryOf({ run, seq }: SnapshotRow): SummaryRow {
  const { input: _input, output: _output, ...rest } = run
  return { run: rest, seq, cursor: `${run.started_at} ${run.run_id}` }
}

/** Leaves out the fields that make a payload too large, and names them. */
function fit(payload: Record<string, Json>, limit: number): Record<string, Json> {
  let fitted = payload
  const truncated: string[] = []
  for (const field of ['output', 'input', 'error_message']) {
    if (jsonbBytes(fitted) <= limit) break
    if (!(field in fitted)) continue
    truncated.push(field)
    fitted = Object.fromEntries(Object.entries(fitted).filter(([key]) => key !== field))
    fitted.truncated = [...truncated]
  }
  return fitted
}

function taken(runId: string): DatabaseError {
  return new DatabaseError(
    'PT409',
    `The run id ${runId} is taken.`,
    'Make a new run id for each run; use one again only to repeat the very same start.',
  )
}
