import type { DevtoolsTap } from '../devtools-tap.ts'
import { durationOf, progressOf } from '../model/progress.ts'
import type { KeptRecord } from '../trace-log.ts'
import { dataOf, describeRecord, timeOfDay } from './describe-record.ts'
import { queryOf, rowOf, shapeOf, stepsOf, type HeldState } from './held-state.ts'
import { Joins } from './joins.ts'
import { subjectOf } from './node-ids.ts'
import { listLabel } from './tree.ts'

/** A row of the inspector's state. */
export interface StateRow {
  key: string
  value: unknown
}

/** What the inspector shows of a node: rows under titles. */
export type Panels = Record<string, StateRow[]>

/** How many trace records of a node are shown. */
const mostShown = 50

/** The panel of a node; null if nothing is held of it. */
export function panelsOf(state: HeldState, tap: DevtoolsTap, nodeId: string): Panels | null {
  const subject = subjectOf(nodeId)
  switch (subject.type) {
    case 'sync':
      return syncPanels(state, tap)
    case 'flow':
      return flowPanels(state, subject.flowSlug)
    case 'run':
      return runPanels(state, tap, subject.runId)
    case 'step':
      return stepPanels(state, tap, subject.runId, subject.stepSlug)
    case 'list':
      return listPanels(state, tap, subject.key)
    default:
      return null
  }
}

function syncPanels(state: HeldState, { log, channels }: DevtoolsTap): Panels {
  return {
    sync: rows({
      runs: Object.keys(state.runs).length,
      lists: Object.keys(state.lists).length,
      channels,
    }),
    ...tracePanel(log.all),
  }
}

function flowPanels(state: HeldState, flowSlug: string): Panels {
  const runs = Object.values(state.runs).filter((run) => run.flow_slug === flowSlug)
  const counts = new Map<string, number>()
  for (const { status } of runs) counts.set(status, (counts.get(status) ?? 0) + 1)
  const shape = shapeOf(state, flowSlug)
  return {
    flow: rows({ flow_slug: flowSlug, runs: runs.length }),
    statuses: [...counts].map(([key, value]) => ({ key, value })),
    shape: (shape?.steps ?? []).map(({ step_slug, step_type, deps }) => ({
      key: step_slug,
      value: { step_type, deps },
    })),
  }
}

function runPanels(state: HeldState, { log, channels }: DevtoolsTap, runId: string): Panels | null {
  const run = rowOf(state.runs, runId)
  const connection = rowOf(state.connections, runId)
  if (!run && !connection) return null
  const failure = rowOf(state.outputErrors, runId)
  return {
    ...(run && {
      run: rows({ ...run, duration: durationOf(run, Date.now()), outputError: failure }),
      progress: rows({ ...progressOf(stepsOf(state, runId)) }),
    }),
    connection: rows({ ...connection, hasChannel: channels.includes(runId) }),
    ...tracePanel(log.of(runId), log.droppedOf(runId)),
  }
}

function stepPanels(
  state: HeldState,
  { log }: DevtoolsTap,
  runId: string,
  stepSlug: string,
): Panels | null {
  const key = `${runId}/${stepSlug}`
  const step = rowOf(state.steps, key)
  if (!step) return null
  const retry = rowOf(state.retries, key)
  const flow = shapeOf(state, rowOf(state.runs, runId)?.flow_slug ?? '')
  const shape = flow?.steps.find((each) => each.step_slug === stepSlug)
  const isOfStep = ({ content }: KeptRecord) =>
    content.type === 'event' && content.event.step?.slug === stepSlug
  return {
    step: rows({
      ...step,
      duration: durationOf(step, Date.now()),
      deps: shape?.deps,
      outputError: rowOf(state.outputErrors, key),
    }),
    ...(retry && { 'last attempt that failed': rows({ ...retry }) }),
    ...tracePanel(log.of(runId).filter(isOfStep)),
  }
}

function listPanels(state: HeldState, { log }: DevtoolsTap, key: string): Panels | null {
  const list = rowOf(state.lists, key)
  if (!list) return null
  const { ids, hasMore, isLoading, connection } = list
  return {
    list: rows({ shows: listLabel(key), ...queryOf(key), hasMore, isLoading }),
    connection: rows({ ...connection }),
    runs: ids.map((runId) => ({ key: runId, value: rowOf(state.summaries, runId) ?? null })),
    ...tracePanel(log.of(key), log.droppedOf(key)),
  }
}

/** The newest first: the latest records matter most. */
function tracePanel(records: readonly KeptRecord[], dropped = 0): Panels {
  const joins = new Joins()
  const shown = records
    .map((record) => ({ record, join: joins.of(record) }))
    .slice(-mostShown)
    .reverse()
  const missing = dropped + records.length - shown.length
  const title = missing > 0 ? `trace (${missing} older not shown)` : 'trace'
  return {
    [title]: shown.map(({ record, join }) => {
      const { title, subtitle } = describeRecord(record, join)
      const data = dataOf(record)
      // For a record without data, its text is all there is.
      const value = data === null || typeof data === 'string' ? subtitle : { [subtitle]: data }
      return { key: `${timeOfDay(record.at)} ${title}`, value }
    }),
  }
}

function rows(fields: Record<string, unknown>): StateRow[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ({ key, value }))
}
