import type { PlainError } from '../errors.ts'

/** Any JSON value. */
export type Json = string | number | boolean | null | JsonArray | JsonObject

// Interfaces, not inline: Pinia's types would expand an inline type without end.
/** A JSON array. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- see above
export interface JsonArray extends Array<Json> {}
/** A JSON object. */
export interface JsonObject {
  [key: string]: Json
}

/**
 * The status of a run. `pending` exists only on the client: the start was sent, and the database
 * has not responded yet. The others are pgflow's; statuses of later versions pass through
 * unchanged.
 */
export type RunStatus = 'pending' | 'started' | 'completed' | 'failed' | (string & {})

/** The status of a step, as pgflow names it. Statuses of later pgflow versions pass through. */
export type StepStatus = 'created' | 'started' | 'completed' | 'failed' | 'skipped' | (string & {})

/** One execution of a flow. Field names are pgflow's; times are ISO 8601 texts. */
export interface PgflowRun<Input = Json, Output = Json> {
  run_id: string
  flow_slug: string
  status: RunStatus
  input: Input
  output: Output | null
  /** Why the run failed: the message of the step that failed it. */
  error_message: string | null
  /** Steps that have not completed yet; null until a snapshot was received. */
  remaining_steps: number | null
  started_at: string | null
  completed_at: string | null
  failed_at: string | null
}

/** One step of a run. A map step has many tasks; any other has one. */
export interface PgflowStep<Output = Json, Slug extends string = string> {
  run_id: string
  step_slug: Slug
  /**
   * Its position in the order of the flow; null until a snapshot was received, and with plain
   * pgflow.
   */
  step_index: number | null
  status: StepStatus
  output: Output | null
  error_message: string | null
  /** How many tasks the step has; null while that is open for a map step. */
  initial_tasks: number | null
  /** How many of them are not done; null before the step has started. */
  remaining_tasks: number | null
  started_at: string | null
  completed_at: string | null
  failed_at: string | null
  skipped_at: string | null
  skip_reason: string | null
}

/** The last failed attempt at a task of a step; another attempt follows. */
export interface StepRetry {
  /** Which of the step's tasks; 0 where it has one. */
  task_index: number
  /** How many attempts have been made. */
  attempts_count: number
  /** Why the last one failed. */
  error_message: string | null
}

/**
 * A step in a snapshot. Without `output` where the database does not return that of a completed
 * step, as with plain pgflow before 0.11: the output that is held then stays.
 */
export interface StepSnapshot extends Omit<PgflowStep, 'output'> {
  output?: Json | null
  /** The last failed attempt of a step that is being retried; absent with plain pgflow. */
  retry?: StepRetry | null | undefined
}

/** A run and its steps as read at one moment. `seq` is null without this project's SQL. */
export interface RunSnapshot {
  run: PgflowRun
  steps: StepSnapshot[]
  seq: number | null
}

/** A run and its steps, complete with outputs. */
export interface RunWithSteps extends RunSnapshot {
  steps: PgflowStep[]
}

/** The order in which steps are shown: by their position in the flow, and by slug without one. */
export function compareSteps(a: PgflowStep, b: PgflowStep): number {
  const places = (a.step_index ?? Infinity) - (b.step_index ?? Infinity)
  // Infinity - Infinity is NaN.
  return places || (a.step_slug < b.step_slug ? -1 : 1)
}

/** A run in a list: without input and output, which can be large. */
export interface RunSummary extends Omit<PgflowRun, 'input' | 'output'> {
  /** The seq of the last event that is part of it; null without this project's SQL. */
  seq: number | null
  /**
   * Its position in the list: pass it as `before` to continue after it; null until the list is
   * read.
   */
  cursor: string | null
}

/** Which runs a list shows, and how many more with each page. */
export interface ListQuery {
  /** Of one flow only; null for all. */
  flow: string | null
  /** Of one status only; null for all. */
  status: string | null
  pageSize: number
}

/** Which runs belong to a list. */
export type ListFilter = Omit<ListQuery, 'pageSize'>

/** One page of a list, newest first. */
export interface RunPage {
  runs: RunSummary[]
  /** Where the next page begins; null when there is none. */
  cursor: string | null
}

/** The store's own connection to a list. */
export interface ListConnection {
  status: ConnectionStatus
  error: PlainError | null
}

/** A list of runs that is observed: the newest runs of its query. */
export interface RunList {
  /** The runs that are shown, newest first; their rows are in `summaries`. */
  ids: string[]
  /** Whether there are older ones. */
  hasMore: boolean
  /** Whether a request is under way that a caller waits for. */
  isLoading: boolean
  connection: ListConnection
}

/** A step as its flow defines it. */
export interface StepShape {
  step_slug: string
  /** `single` or `map`; types of later pgflow versions pass through. */
  step_type: 'single' | 'map' | (string & {})
  /** The slugs of the steps whose outputs it takes. */
  deps: string[]
}

/** The steps of a flow, each after those it depends on. */
export interface FlowShape {
  flow_slug: string
  steps: StepShape[]
}

/**
 * How up to date the store's state of a run is.
 * - `idle`: nobody observes it.
 * - `connecting`: joining, or waiting for the first snapshot.
 * - `live`: joined, and nothing is missing as far as the client can see.
 * - `polling`: kept up to date by repeated requests, without Realtime.
 * - `offline`: the connection is lost, and what is shown may be old. It reconnects by itself.
 * - `closed`: no more changes will follow: the run has ended, or cannot be observed (see `error`).
 */
export type ConnectionStatus = 'idle' | 'connecting' | 'live' | 'polling' | 'offline' | 'closed'

/** The store's own connection to one run. */
export interface RunConnection {
  status: ConnectionStatus
  /** The seq of the last event that is part of what the store shows; null while there is none. */
  seq: number | null
  /**
   * Nothing has changed for `stallAfter`: something may be wrong on the side of the worker, such as
   * no worker at all, or a task that hangs. Only a hint: a step may simply take that long.
   */
  stalled: boolean
  error: PlainError | null
}

const terminalStatuses = new Set<string>(['completed', 'failed', 'skipped', 'cancelled'])

/**
 * Whether a run or step of this status will not change any more.
 * @example
 * const isBusy = !isTerminal(run.status)
 */
export function isTerminal(status: RunStatus | StepStatus): boolean {
  return terminalStatuses.has(status)
}

/** A run that is being started, before the database has responded. */
export function pendingRun(runId: string, flowSlug: string, input: Json): PgflowRun {
  return {
    run_id: runId,
    flow_slug: flowSlug,
    status: 'pending',
    input,
    output: null,
    error_message: null,
    remaining_steps: null,
    started_at: null,
    completed_at: null,
    failed_at: null,
  }
}

/** A step of which only the slug was received. */
export function createdStep(runId: string, stepSlug: string): PgflowStep {
  return {
    run_id: runId,
    step_slug: stepSlug,
    step_index: null,
    status: 'created',
    output: null,
    error_message: null,
    initial_tasks: null,
    remaining_tasks: null,
    started_at: null,
    completed_at: null,
    failed_at: null,
    skipped_at: null,
    skip_reason: null,
  }
}

/** The connection of a run that nobody has observed yet. */
export function idleConnection(): RunConnection {
  return {
    status: 'idle',
    seq: null,
    stalled: false,
    error: null,
  }
}

/** The key of a step in the store. Slugs hold no slash, so the key can be split again. */
export function stepKey(runId: string, stepSlug: string): string {
  return `${runId}/${stepSlug}`
}
