import type { Pinia } from 'pinia'
import type { App, Plugin } from 'vue'
import { tapOf } from './devtools-tap.ts'
import { PgflowError } from './errors.ts'
import { installConfig } from './store/installation.ts'
import { resolveOptions, type PgflowConfig, type PgflowOptions } from './options.ts'

/**
 * The Vue plugin. Install it after Pinia; then `useFlow`, `useRun` and `usePgflowStore` work in
 * every component and store of the app. When the app unmounts, every channel is closed.
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

/** The plugin that provides a configuration to the store of the app's Pinia. */
export function pluginOf(config: PgflowConfig): Plugin<[]> {
  return {
    install(app: App) {
      const pinia: Pinia | undefined = app.config.globalProperties.$pinia
      // Pinia's types promise it, but an app without Pinia does not have it.
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
      if (!pinia) {
        throw new PgflowError('not_installed', 'pinia-pgflow needs Pinia, used before it.')
      }
      app.onUnmount(
        installConfig(
          pinia,
          // The condition is written out here, so that every bundler drops the code behind it.
          process.env.NODE_ENV !== 'production' && typeof window !== 'undefined'
            ? showInDevtools(app, pinia, config)
            : config,
        ),
      )
    },
  }
}

/** Registers the app with Vue devtools; returns the configuration that reports to them. */
function showInDevtools(app: App, pinia: Pinia, config: PgflowConfig): PgflowConfig {
  const tap = tapOf(pinia)
  let leave: (() => void) | null = tap.join()
  app.onUnmount(() => {
    leave?.()
    leave = null
  })
  // Repeated: a bundler that makes one file would otherwise prepare for the dynamic import.
  if (process.env.NODE_ENV !== 'production') {
    import('./devtools/devtools.ts').then(
      ({ registerDevtools }) => leave && registerDevtools(app, pinia, tap),
      // The optional peer `@vue/devtools-api` is not installed.
      () => undefined,
    )
  }
  return tap.wrap(config)
}
