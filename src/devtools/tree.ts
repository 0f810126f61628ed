import { isTerminal, type PgflowRun, type PgflowStep } from '../model/entities.ts'
import { clip } from '../model/text.ts'
import { queryOf, rowOf, stepsOf, type HeldState } from './held-state.ts'
import { nodeIdOf } from './node-ids.ts'
import { connectionTag, progressTag, retryTag, statusTag, type Tag } from './tags.ts'

/** A node of the inspector's tree. */
export interface TreeNode {
  id: string
  label: string
  tags?: Tag[]
  children?: TreeNode[]
}

/** How many runs of a flow are in the tree at once; a search finds the others. */
const mostRuns = 200

/**
 * The inspector's tree: the sync, flows with their runs and steps, and lists.
 * @param filter - only nodes with this text in a label or tag, with their ancestors and
 *   descendants.
 */
export function treeOf(state: HeldState, filter: string): TreeNode[] {
  const sought = filter.trim().toLowerCase()
  const groups = [...runsByFlow(state)].flatMap(([flow, runs]) =>
    flowNode(state, flow, runs, sought),
  )
  const sync: TreeNode = { id: nodeIdOf({ type: 'sync' }), label: 'sync' }
  const roots = [...groups, ...listNodes(state, sought)]
  const nodes = sought === '' || has(sync, sought) ? [sync, ...roots] : roots
  // Devtools go on showing what was found before if they are sent an empty tree.
  return nodes.length > 0 ? nodes : [{ id: nodeIdOf({ type: 'note' }), label: 'nothing found' }]
}

/** Runs by flow, the newest first; null for those with only a connection, such as refused ones. */
function runsByFlow(state: HeldState): Map<string | null, string[]> {
  const newestFirst = Object.values(state.runs).sort((a, b) => compareStarts(b, a))
  const byFlow = new Map<string | null, string[]>()
  const add = (flow: string | null, runId: string) => {
    const runs = byFlow.get(flow) ?? []
    runs.push(runId)
    byFlow.set(flow, runs)
  }
  for (const { flow_slug, run_id } of newestFirst) add(flow_slug, run_id)
  for (const runId of Object.keys(state.connections)) {
    if (!rowOf(state.runs, runId)) add(null, runId)
  }
  return byFlow
}

/** A run that is being started is the newest. */
function compareStarts(a: PgflowRun, b: PgflowRun): number {
  const [left, right] = [a.started_at ?? '~', b.started_at ?? '~']
  return left === right ? 0 : left < right ? -1 : 1
}

function flowNode(
  state: HeldState,
  flow: string | null,
  runs: readonly string[],
  sought: string,
): TreeNode[] {
  const label = flow === null ? 'not in the store' : clip(flow, 100)
  const id = flow === null ? nodeIdOf({ type: 'note' }) : nodeIdOf({ type: 'flow', flowSlug: flow })
  const isFound = label.toLowerCase().includes(sought)
  const children: TreeNode[] = []
  let hidden = 0
  for (const runId of runs) {
    if (children.length === mostRuns && isFound) hidden = runs.length - mostRuns
    if (children.length === mostRuns) break
    const node = runNode(state, runId, isFound ? '' : sought)
    if (node) children.push(node)
  }
  if (children.length === 0) return []
  if (hidden > 0) {
    children.push({ id: `${nodeIdOf({ type: 'note' })}${label}`, label: `${hidden} older runs` })
  }
  const busy = runs.filter((runId) => !isTerminal(rowOf(state.runs, runId)?.status ?? '')).length
  const tags = flow !== null && busy > 0 ? [statusTag(`${busy} running`, 'started')] : []
  return [{ id, label, tags, children }]
}

/** Null if neither the run nor one of its steps matches the filter. */
function runNode(state: HeldState, runId: string, sought: string): TreeNode | null {
  const run = rowOf(state.runs, runId)
  const connection = rowOf(state.connections, runId)
  const tags = [
    ...(run ? [statusTag(run.status)] : []),
    ...(connection ? [connectionTag(connection)] : []),
  ]
  const node = { id: nodeIdOf({ type: 'run', runId }), label: clip(runId, 100), tags }
  const steps = stepsOf(state, runId).map((step) => stepNode(state, step))
  if (has(node, sought)) return { ...node, children: steps }
  const found = steps.filter((step) => has(step, sought))
  return found.length > 0 ? { ...node, children: found } : null
}

function stepNode(state: HeldState, step: PgflowStep): TreeNode {
  const { run_id: runId, step_slug: stepSlug } = step
  const retry = rowOf(state.retries, `${runId}/${stepSlug}`)
  return {
    id: nodeIdOf({ type: 'step', runId, stepSlug }),
    label: clip(stepSlug, 100),
    tags: [
      statusTag(step.status),
      ...progressTag(step),
      ...(retry && !isTerminal(step.status) ? [retryTag(retry)] : []),
    ],
  }
}

function listNodes(state: HeldState, sought: string): TreeNode[] {
  const nodes = Object.entries(state.lists).map(([key, list]): TreeNode => {
    const count = `${list.ids.length}${list.hasMore ? '+' : ''} runs`
    return {
      id: nodeIdOf({ type: 'list', key }),
      label: listLabel(key),
      tags: [statusTag(count, 'created'), connectionTag(list.connection)],
    }
  })
  const found = 'lists'.includes(sought) ? nodes : nodes.filter((node) => has(node, sought))
  if (found.length === 0) return []
  return [{ id: nodeIdOf({ type: 'lists' }), label: 'lists', children: found }]
}

/** The label of a list. */
export function listLabel(key: string): string {
  const query = queryOf(key)
  if (!query) return clip(key)
  const { flow, status, pageSize } = query
  return clip(`${flow ?? 'all flows'}, ${status ?? 'any status'}, by ${pageSize}`, 100)
}

function has({ label, tags = [] }: TreeNode, sought: string): boolean {
  return [label, ...tags.map((tag) => tag.label)].some((text) =>
    text.toLowerCase().includes(sought),
  )
}
