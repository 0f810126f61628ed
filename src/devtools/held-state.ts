import type { Pinia } from 'pinia'
import { toRaw } from 'vue'
import type {
  FlowShape,
  PgflowRun,
  PgflowStep,
  RunConnection,
  RunList,
  RunSummary,
  StepRetry,
} from '../model/entities.ts'
import type { PlainError } from '../errors.ts'
import type { FlowSlug } from '../flow-types.ts'
import { ownValue } from '../model/own-value.ts'

type Rows<Row> = Record<string, Row>

/** The state of the stores of runs and of lists. */
export interface HeldState {
  runs: Rows<PgflowRun>
  steps: Rows<PgflowStep>
  stepOrder: Rows<string[]>
  retries: Rows<StepRetry>
  outputErrors: Rows<PlainError>
  connections: Rows<RunConnection>
  flows: FlowShape[]
  lists: Rows<RunList>
  summaries: Rows<RunSummary>
}

/**
 * Reads the stores as plain data. It creates none: an app without lists has no store of lists.
 */
export function heldState({ state }: Pinia): HeldState {
  const ofRuns: Partial<HeldState> = ownValue(state.value, 'pgflow') ?? {}
  const ofLists: Partial<HeldState> = ownValue(state.value, 'pgflow-lists') ?? {}
  return {
    runs: toRaw(ofRuns.runs) ?? {},
    steps: toRaw(ofRuns.steps) ?? {},
    stepOrder: toRaw(ofRuns.stepOrder) ?? {},
    retries: toRaw(ofRuns.retries) ?? {},
    outputErrors: toRaw(ofRuns.outputErrors) ?? {},
    connections: toRaw(ofRuns.connections) ?? {},
    flows: toRaw(ofRuns.flows) ?? [],
    lists: toRaw(ofLists.lists) ?? {},
    summaries: toRaw(ofLists.summaries) ?? {},
  }
}

/** All state that devtools show, read in a way that a watcher is called after each change. */
export function watchedState({ state }: Pinia): unknown[] {
  return [state.value.pgflow, state.value['pgflow-lists']]
}

/** A row of a table as plain data. */
export function rowOf<Row>(table: Rows<Row>, key: string): Row | undefined {
  return toRaw(ownValue(table, key))
}

/** The shape of a flow, if it was read. */
export function shapeOf({ flows }: HeldState, flowSlug: string): FlowShape | undefined {
  return toRaw(flows.find((shape) => shape.flow_slug === flowSlug))
}

/** The steps of a run, in the order in which they are shown. */
export function stepsOf({ steps, stepOrder }: HeldState, runId: string): PgflowStep[] {
  const slugs = rowOf(stepOrder, runId) ?? []
  return slugs.flatMap((slug) => rowOf(steps, `${runId}/${slug}`) ?? [])
}

/** The query of a list, from its key. */
export function queryOf(
  key: string,
): { flow: FlowSlug | null; status: string | null; pageSize: number } | null {
  try {
    const parsed: unknown = JSON.parse(key)
    if (!Array.isArray(parsed)) return null
    const [flow, status, pageSize] = Array.from<unknown>(parsed)
    if (typeof pageSize !== 'number') return null
    return { flow: isFlowSlug(flow) ? flow : null, status: textOrNull(status), pageSize }
  } catch {
    return null
  }
}

/** From the key: the slug that the app has passed. */
function isFlowSlug(value: unknown): value is FlowSlug {
  return typeof value === 'string'
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
