import type { Pinia } from 'pinia'
import type { App, Plugin } from 'vue'
import { PgflowError } from './errors.ts'
import { installConfig } from './store/installation.ts'
import { resolveOptions, type PgflowConfig, type PgflowOptions } from './options.ts'

/**
 * The Vue plugin. Install it after Pinia; then `useFlow`, `useRun` and `usePgflowStore` work in
 * every component and store of the app. When the app unmounts, every
 * channel is left.
 *
 * @throws PgflowError `not_installed` when Pinia is not installed; `invalid_options`.
 * @example
 * const app = createApp(App)
 * app.use(createPinia())
 * app.use(createPgflow({ supabase: createClient(url, key) }))
 */
export function createPgflow(options: PgflowOptions): Plugin<[]> {
  return pluginOf(resolveOptions(options))
}

/** The plugin that brings a configuration to the store of the app's Pinia. */
export function pluginOf(config: PgflowConfig): Plugin<[]> {
  return {
    install(app: App) {
      const pinia: Pinia | undefined = app.config.globalProperties.$pinia
      // Pinia's types promise it; an app without Pinia still does not have it.
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
      if (!pinia) {
        throw new PgflowError('not_installed', 'pinia-pgflow needs Pinia.', {
          hint: 'Call app.use(createPinia()) before app.use(createPgflow(…)).',
        })
      }
      app.onUnmount(installConfig(pinia, config))
    },
  }
}
