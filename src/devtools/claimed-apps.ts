import type { App } from 'vue'

/** Which apps are registered with Vue devtools, on this page. */
interface Registered {
  ids: WeakMap<App, string>
  /** Apps whose set-up has run: devtools run it again when their panel opens. */
  setUp: WeakSet<App>
  count: number
}

declare global {
  // On the page, not in this module: after hot updates, or in several bundles, it is loaded again.
  var __PINIA_PGFLOW_DEVTOOLS__: Registered | undefined
}

function registered(): Registered {
  globalThis.__PINIA_PGFLOW_DEVTOOLS__ ??= { ids: new WeakMap(), setUp: new WeakSet(), count: 0 }
  return globalThis.__PINIA_PGFLOW_DEVTOOLS__
}

/**
 * A name for the plugin, the inspector and the timeline layer of an app; null if it has one
 * already. Each app has its own: devtools look up actions only by the id of the inspector.
 */
export function claimId(app: App): string | null {
  const { ids } = registered()
  if (ids.has(app)) return null
  const number = ++registered().count
  const id = number === 1 ? 'pinia-pgflow' : `pinia-pgflow-${number}`
  ids.set(app, id)
  return id
}

/** Whether this is the first set-up of an app. */
export function claimSetUp(app: App): boolean {
  const { setUp } = registered()
  if (setUp.has(app)) return false
  setUp.add(app)
  return true
}
