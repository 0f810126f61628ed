import type { Pinia } from 'pinia'
import type { DevtoolsTap } from '../devtools-tap.ts'
import { toPgflowError } from '../errors.ts'
import { usePgflowListStore } from '../store/list-store.ts'
import { usePgflowStore } from '../store/pgflow-store.ts'
import { copyText, saveFile, say } from './browser.ts'
import { heldState, queryOf } from './held-state.ts'
import { subjectOf } from './node-ids.ts'
import { recordRun } from './record-run.ts'

/** An action of the inspector, either for all nodes or for the selected one. */
export interface InspectorAction<Given extends unknown[]> {
  icon: string
  tooltip: string
  action: (...given: Given) => Promise<void>
}

/** What an action works on; null once the app is unmounted. */
export type ShownApp = () => { pinia: Pinia; tap: DevtoolsTap } | null

/** The actions above the tree. */
export function treeActions(shown: ShownApp): InspectorAction<[]>[] {
  return [
    guarded('refresh', 'Read all runs and lists again', async () => {
      const { pinia } = shown() ?? {}
      if (!pinia) return
      const { runs, lists } = heldState(pinia)
      await settleAll([
        ...Object.keys(runs).map((runId) => refreshRun(pinia, runId)),
        ...Object.keys(lists).map((key) => refreshList(pinia, key)),
      ])
    }),
    guarded('power', 'Leave all channels of runs and join them again', () => {
      const { tap } = shown() ?? {}
      if (tap) rejoin(tap, [...tap.channels])
    }),
  ]
}

/** The actions above the state of the node that is selected. */
export function nodeActions(shown: ShownApp): InspectorAction<[nodeId: string]>[] {
  const forNode = (
    icon: string,
    tooltip: string,
    work: (nodeId: string, pinia: Pinia, tap: DevtoolsTap) => void | Promise<void>,
  ) =>
    guarded(icon, tooltip, (nodeId: string) => {
      const { pinia, tap } = shown() ?? {}
      return pinia && tap && work(nodeId, pinia, tap)
    })
  return [
    forNode('refresh', 'Read it again', async (nodeId, pinia) => {
      const subject = subjectOf(nodeId)
      if (subject.type === 'list') return refreshList(pinia, subject.key)
      const runIds = runsOf(pinia, nodeId)
      if (runIds.length === 0) return say('Select a run, a step, a flow or a list to read again.')
      await settleAll(runIds.map((runId) => refreshRun(pinia, runId)))
    }),
    forNode('power', 'Leave its channel and join it again', (nodeId, pinia, tap) => {
      const runIds = runsOf(pinia, nodeId)
      if (runIds.length === 0) return say('Select a run, a step or a flow to reconnect.')
      rejoin(tap, runIds)
    }),
    forNode('content_copy', 'Copy its id', (nodeId) => {
      const id = idOf(nodeId)
      return id === '' ? say('This has no id to copy.') : copyText(id)
    }),
    forNode('delete', 'Release: stop following it and drop it from the store', (nodeId, pinia) => {
      const runIds = runsOf(pinia, nodeId)
      if (runIds.length === 0) return say('Select a run, a step or a flow to release.')
      for (const runId of runIds) usePgflowStore(pinia).removeRun(runId)
    }),
    forNode('download', 'Export a recording of the run as JSON', (nodeId, pinia, tap) => {
      const [runId, ...others] = runsOf(pinia, nodeId)
      if (runId === undefined || others.length > 0) return say('Select the run to export.')
      const recording = recordRun(pinia, tap, runId)
      saveFile(`pgflow-run-${runId}.json`, JSON.stringify(recording, null, 2))
    }),
  ]
}

/** The runs that a node stands for. */
function runsOf(pinia: Pinia, nodeId: string): string[] {
  const subject = subjectOf(nodeId)
  if (subject.type === 'run' || subject.type === 'step') return [subject.runId]
  if (subject.type !== 'flow') return []
  const runs = Object.values(heldState(pinia).runs)
  return runs.filter((run) => run.flow_slug === subject.flowSlug).map((run) => run.run_id)
}

function idOf(nodeId: string): string {
  const subject = subjectOf(nodeId)
  switch (subject.type) {
    case 'run':
      return subject.runId
    case 'step':
      return subject.stepSlug
    case 'flow':
      return subject.flowSlug
    case 'list':
      return subject.key
    default:
      return ''
  }
}

async function refreshRun(pinia: Pinia, runId: string): Promise<void> {
  await usePgflowStore(pinia).refreshRun(runId)
}

async function refreshList(pinia: Pinia, key: string): Promise<void> {
  const query = queryOf(key)
  if (!query) return
  const { flow, status, pageSize } = query
  const observation = usePgflowListStore(pinia).observeRuns({
    ...(flow !== null && { flow }),
    ...(status !== null && { status }),
    pageSize,
  })
  try {
    await observation.refresh()
  } finally {
    observation.release()
  }
}

/** Joins the channels again that are open. */
function rejoin(tap: DevtoolsTap, runIds: readonly string[]): void {
  const joined = runIds.filter((runId) => tap.reconnect(runId))
  if (joined.length === 0) say('No run has a channel here: what has ended needs none.')
}

/** Waits for all promises, and then throws the first failure. */
async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(work)
  const failed = settled.find((each) => each.status === 'rejected')
  if (failed) throw failed.reason
}

/** Prints what an action throws: devtools would ignore it, or stop working. */
function guarded<Given extends unknown[]>(
  icon: string,
  tooltip: string,
  work: (...given: Given) => unknown,
): InspectorAction<Given> {
  const action = async (...given: Given): Promise<void> => {
    try {
      await work(...given)
    } catch (thrown) {
      const { code, message, hint } = toPgflowError(thrown)
      say(`${code}: ${message} ${hint ?? ''}`)
    }
  }
  return { icon, tooltip, action }
}
