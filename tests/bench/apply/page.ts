import { createPinia } from 'pinia'
import { createPgflow, usePgflowStore } from 'pinia-pgflow'
import { createApp, type Component } from 'vue'
import type { Loopback } from './loopback.ts'

/** Mounts an app with the plugin, and shows what is in its page. */
export function mountPage({ supabase }: Loopback, root: Component) {
  const pinia = createPinia()
  const app = createApp(root)
  app.use(pinia)
  // Nobody lets go of anything while it is measured.
  app.use(createPgflow({ supabase, gcTime: 600_000, snapshotTimeout: 600_000 }))
  const element = document.createElement('div')
  return {
    store: usePgflowStore(pinia),
    mount: () => app.mount(element),
    text: () => element.textContent,
    unmount: () => app.unmount(),
  }
}
