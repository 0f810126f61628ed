import type { PlainError } from '../errors.ts'

/** Anything that survives a trip through JSON. */
export type Json = string | number | boolean | null | JsonArray | JsonObject

// Interfaces, not inline: TypeScript would unfold the type for ever in what Pinia makes of it.
/** A JSON array. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- see above
export interface JsonArray extends Array<Json> {}
/** A JSON object. */
export interface JsonObject {
  [key: string]: Json
}

/**
 * The status of a run. `pending` is the client's own: the start was sent and the database has not
 * answered yet. The others are pgflow's; statuses of later pgflow versions pass through unchanged.
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
  /** Steps that have not completed yet; null until the database has told. */
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
   * Its place in the order of the flow; null while only a broadcast has told of it, and with plain
   * pgflow.
   */
  step_index: number | null
  status: StepStatus
  output: Output | null
  error_message: string | null
  /** How many tasks the step has; null while a map step does not know yet. */
  initial_tasks: number | null
  /** How many of them are not done; null before the step has started. */
  remaining_tasks: number | null
  started_at: string | null
  completed_at: string | null
  failed_at: string | null
  skipped_at: string | null
  skip_reason: string | null
}

/** An attempt at a task of a step that failed, and will be followed by another. */
export interface StepRetry {
  /** Which of the step's tasks; 0 where it has one. */
  task_index: number
  /** How many attempts have been made. */
  attempts_count: number
  /** Why the last one failed. */
  error_message: string | null
}

/**
 * A step as a snapshot tells it. Without `output` where the database does not tell that of a
 * completed step, as plain pgflow before 0.11: what is known of it then stays.
 */
export interface StepSnapshot extends Omit<PgflowStep, 'output'> {
  output?: Json | null
  /** Of a step that is tried again, the last attempt that failed; absent with plain pgflow. */
  retry?: StepRetry | null | undefined
}

/** A run and its steps as read at one moment; `seq` is null without this project's SQL. */
export interface RunSnapshot {
  run: PgflowRun
  steps: StepSnapshot[]
  seq: number | null
}

/** A run and its steps with all that is known of them. */
export interface RunWithSteps extends RunSnapshot {
  steps: PgflowStep[]
}

/** The order in which steps are shown: that of the flow, and by slug what is not known to be in it. */
export function compareSteps(a: PgflowStep, b: PgflowStep): number {
  const places = (a.step_index ?? Infinity) - (b.step_index ?? Infinity)
  // Of two without a place the difference is no number.
  return places || (a.step_slug < b.step_slug ? -1 : 1)
}

/** A run in a list: without input and output, which can be large. */
export interface RunSummary extends Omit<PgflowRun, 'input' | 'output'> {
  /** The last broadcast that is part of it; null without this project's SQL. */
  seq: number | null
  /** Its place in the list: what `before` takes to go on from it; null until the list is read. */
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

/** Which runs belong into a list. */
export type ListFilter = Omit<ListQuery, 'pageSize'>

/** One page of a list, newest first. */
export interface RunPage {
  runs: RunSummary[]
  /** Where the next page begins; null when there is none. */
  cursor: string | null
}

/** What the store knows about its own connection to a list. */
export interface ListConnection {
  status: ConnectionStatus
  error: PlainError | null
}

/** A list of runs that somebody observes: the newest that its query asks for. */
export interface RunList {
  /** The runs that are shown, newest first; their rows are in `summaries`. */
  ids: string[]
  /** Whether there are older ones. */
  hasMore: boolean
  /** Whether a read is under way that somebody waits for. */
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

/** What a flow looks like: its steps, each after those it depends on. */
export interface FlowShape {
  flow_slug: string
  steps: StepShape[]
}

/**
 * How live what the store holds of a run is.
 * - `idle`: nobody observes it.
 * - `connecting`: joining, or waiting for the first snapshot.
 * - `live`: joined, and nothing is known to be missing.
 * - `polling`: shown from repeated snapshots, without Realtime.
 * - `offline`: the connection is lost; what is shown may be old. It comes back by itself.
 * - `closed`: nothing more will come: the run has ended, or cannot be observed (see `error`).
 */
export type ConnectionStatus = 'idle' | 'connecting' | 'live' | 'polling' | 'offline' | 'closed'

/** What the store knows about its own connection to one run. */
export interface RunConnection {
  status: ConnectionStatus
  /** The last broadcast that is part of what the store shows; null while there was none. */
  seq: number | null
  /**
   * Nothing has changed for so long (`stallAfter`) that something may be wrong where the run is
   * worked on: no worker, or a task that hangs. A hint: a step may simply take that long.
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

/** A run of which only the start is known. */
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

/** A step of which nothing is known yet but that it exists. */
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

/** The key of a step in the store. Slugs hold no slash, so it can be taken apart again. */
export function stepKey(runId: string, stepSlug: string): string {
  return `${runId}/${stepSlug}`
}
