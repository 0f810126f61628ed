import * as kit from '@vue/devtools-kit'
import type { CustomInspectorNode, CustomInspectorState } from '@vue/devtools-kit'
import type { VueWrapper } from '@vue/test-utils'
import { vi } from 'vitest'
import { createApp } from 'vue'

/*
 * The real kit behind Vue devtools, driven as their panel drives it. To be imported before Vue,
 * which looks for the hook when it is first used; specs pass it for `@vue/devtools-api`, which does
 * nothing in Node. The kit puts what it has on `window`, and Vue looks for it on `globalThis`: in a
 * browser they are one.
 */
kit.initDevTools()
for (const name of ['__VUE_DEVTOOLS_GLOBAL_HOOK__', '__VUE_DEVTOOLS_KIT_INSPECTOR__']) {
  Object.defineProperty(globalThis, name, { configurable: true, value: Reflect.get(window, name) })
}

/* Without any app on its page the kit throws, so there is always one: it has no runs. */
createApp({ render: () => null }).mount(document.createElement('div'))

const { api, hooks } = kit.devtoolsContext

/** What devtools have shown of their inspectors, as ids. */
export function inspectorIds(): string[] {
  return kit.devtoolsInspector
    .map(({ options }) => options.id)
    .filter((id) => id.startsWith('pinia-pgflow'))
}

/** Opens the panel and selects the app of a component; returns the id of its inspector. */
export async function open(wrapper: VueWrapper): Promise<string> {
  const { app } = wrapper.getCurrentComponent().appContext
  kit.toggleHighPerfMode(false)
  // Both hear of an app a little after it is mounted.
  const wait = { timeout: 15_000 }
  const recordOf = () => kit.devtoolsAppRecords.value.find((each) => each.app === app)
  await vi.waitFor(() => select(recordOf()?.id), wait)
  return vi.waitFor(() => {
    const id = inspectorIds().find((each) => kit.getInspector(each, app))
    if (id === undefined) throw new Error('The app has no inspector')
    return id
  }, wait)
}

/** Selects an app in the panel, as one does on a page with several. */
function select(appId: string | undefined): void {
  if (appId === undefined) throw new Error('Devtools do not know the app')
  api.toggleApp(appId)
}

export function close(): void {
  kit.toggleHighPerfMode(true)
}

export async function tree(id: string, filter = ''): Promise<CustomInspectorNode[]> {
  return api.getInspectorTree({ inspectorId: id, filter })
}

/** The labels of the tree, each with its tags, indented by depth. */
export function outline(nodes: readonly CustomInspectorNode[], depth = 0): string[] {
  return nodes.flatMap(({ label, tags = [], children = [] }) => [
    [`${'  '.repeat(depth)}${label}`, ...tags.map((tag) => `[${tag.label}]`)].join(' '),
    ...outline(children, depth + 1),
  ])
}

export async function state(id: string, nodeId: string): Promise<CustomInspectorState> {
  return api.getInspectorState({ inspectorId: id, nodeId })
}

/** A value of a panel. */
export function valueIn(panels: CustomInspectorState, title: string, key: string): unknown {
  return panels[title]?.find((row) => row.key === key)?.value
}

/** Clicks an action of the inspector, by the first words of its tooltip. */
export async function act(id: string, tooltip: string, nodeId?: string): Promise<void> {
  if (nodeId === undefined) {
    const action = kit.getInspectorActions(id)?.find((each) => each.tooltip?.startsWith(tooltip))
    if (!action) throw new Error(`no action ${tooltip}`)
    return action.action()
  }
  const action = kit.getInspectorNodeActions(id)?.find((each) => each.tooltip?.startsWith(tooltip))
  if (!action) throw new Error(`no action ${tooltip}`)
  return action.action(nodeId)
}

export interface SentEvent {
  layerId: string
  event: { title?: string; subtitle?: string; groupId?: string | number; logType?: string }
}

/** Collects what is sent to the timeline and to the inspector's tree. */
export function collectSent(id: string): { events: SentEvent[]; trees: CustomInspectorNode[][] } {
  const sent = { events: [] as SentEvent[], trees: [] as CustomInspectorNode[][] }
  kit.updateTimelineLayersState({ [id]: true })
  hooks.hook(kit.DevToolsMessagingHookKeys.SEND_TIMELINE_EVENT_TO_CLIENT, (event) => {
    sent.events.push(event)
  })
  hooks.hook(kit.DevToolsMessagingHookKeys.SEND_INSPECTOR_TREE_TO_CLIENT, (payload) => {
    if (payload.inspectorId === id) sent.trees.push(payload.rootNodes)
  })
  return sent
}

/** Has devtools send the tree of another inspector, as their own plugins do at each render. */
export function sendTree(inspectorId: string): void {
  const inspector = kit.getInspector(inspectorId)
  if (!inspector) throw new Error(`no inspector ${inspectorId}`)
  const plugin = { descriptor: inspector.descriptor, setupFn: () => {} }
  void hooks.callHook(kit.DevToolsContextHookKeys.SEND_INSPECTOR_TREE, { inspectorId, plugin })
}
