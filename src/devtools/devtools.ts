// Not a literal: a bundler in development mode fails if the package is not installed.
import * as devtools from '@vue/devtools-api'
import type { Pinia } from 'pinia'
import type { App } from 'vue'
import type { DevtoolsTap } from '../devtools-tap.ts'
import { nodeActions, treeActions, type ShownApp } from './actions.ts'
import { heldState, watchedState } from './held-state.ts'
import { keepFilter } from './kept-filter.ts'
import { LiveRefresh } from './live-refresh.ts'
import { panelsOf } from './panels.ts'
import { claimId, claimSetUp } from './claimed-apps.ts'
import { timelineEvents, timelineLayer } from './timeline.ts'
import { treeOf } from './tree.ts'

type DevtoolsApi = Parameters<Parameters<typeof devtools.setupDevToolsPlugin>[1]>[0]

/** Shows the runs and lists of an app in Vue devtools until it is unmounted. */
export function registerDevtools(app: App, pinia: Pinia, tap: DevtoolsTap): void {
  const id = claimId(app)
  if (id === null) return
  let shown: ReturnType<ShownApp> = { pinia, tap }
  let stop = () => {}
  app.onUnmount(() => {
    stop()
    // Devtools keep their handlers for ever, so the handlers drop their references.
    shown = null
  })
  const plugin = {
    id,
    label: 'pgflow',
    packageName: 'pinia-pgflow',
    homepage: 'https://pgflow.dev',
    app,
  }
  devtools.setupDevToolsPlugin(plugin, (api) => {
    if (shown === null || !claimSetUp(app)) return
    addInspector(api, id, () => shown)
    addHandlers(api, id, app, () => shown)
    stop = startUpdates(api, id, shown)
  })
}

function addInspector(api: DevtoolsApi, id: string, shown: ShownApp): void {
  api.addInspector({
    id,
    label: 'pgflow',
    icon: 'account_tree',
    treeFilterPlaceholder: 'Search flows, runs, steps and statuses',
    stateFilterPlaceholder: 'Search the state',
    noSelectionText: 'Select a run, a step or a list.',
    actions: treeActions(shown),
    nodeActions: nodeActions(shown),
  })
  api.addTimelineLayer(timelineLayer(id))
}

/** A handler that throws would end the refreshes of all inspectors on the page. */
function addHandlers(api: DevtoolsApi, id: string, app: App, shown: ShownApp): void {
  api.on.getInspectorTree((payload) => {
    const now = shown()
    if (!now || payload.app !== app || payload.inspectorId !== id) return
    const { filter } = payload
    orNothing(() => keepFilter(id, filter), undefined)
    payload.rootNodes = orNothing(() => treeOf(heldState(now.pinia), filter), [])
  })
  api.on.getInspectorState((payload) => {
    const now = shown()
    if (!now || payload.app !== app || payload.inspectorId !== id) return
    const panels = () => panelsOf(heldState(now.pinia), now.tap, payload.nodeId)
    payload.state = orNothing(panels, null) ?? {}
  })
}

/** Sends changes to the inspector and the timeline, until the returned function is called. */
function startUpdates(
  api: DevtoolsApi,
  id: string,
  { pinia, tap }: Exclude<ReturnType<ShownApp>, null>,
): () => void {
  const refresh = new LiveRefresh(
    () => watchedState(pinia),
    () => {
      orNothing(() => api.sendInspectorTree(id), undefined)
      orNothing(() => api.sendInspectorState(id), undefined)
    },
  )
  const toEvent = timelineEvents(tap.log.all)
  const stopListening = tap.log.listen((record) => {
    refresh.touch()
    orNothing(() => api.addTimelineEvent({ layerId: id, event: toEvent(record) }), undefined)
  })
  return () => {
    stopListening()
    refresh.stop()
  }
}

function orNothing<Value, Nothing>(work: () => Value, nothing: Nothing): Value | Nothing {
  try {
    return work()
  } catch {
    return nothing
  }
}
