import { addImports, addPlugin, addTemplate, createResolver, defineNuxtModule } from 'nuxt/kit'
import type { Nuxt, NuxtModule } from 'nuxt/schema'
import { runtimeOptionsOf, type PgflowModuleOptions, type PgflowPublicOptions } from './options.ts'

export type { PgflowModuleOptions, PgflowPublicOptions, PgflowSetup } from './options.ts'

declare module 'nuxt/schema' {
  interface NuxtConfig {
    /** Options of `pinia-pgflow/nuxt`. */
    pgflow?: PgflowModuleOptions
  }
  interface NuxtOptions {
    pgflow?: PgflowModuleOptions
  }
  interface PublicRuntimeConfig {
    /**
     * The option `pgflow` of nuxt.config; `NUXT_PUBLIC_PGFLOW_…` overrides it when the server
     * starts.
     */
    pgflow: PgflowPublicOptions
  }
}

/** What is auto-imported. */
const composables = ['useFlow', 'useRun', 'useRuns', 'useStep', 'usePgflowStatus']
const stores = ['usePgflowStore', 'usePgflowListStore']

/**
 * The Nuxt module: installs `createPgflow` after Pinia and Supabase, takes runs through Nuxt's
 * payload, and lets apps call the composables and stores without importing them. Needs
 * `@pinia/nuxt`, and either `@nuxtjs/supabase` or the option `setup`.
 *
 * @example
 * export default defineNuxtConfig({
 *   modules: ['@pinia/nuxt', '@nuxtjs/supabase', 'pinia-pgflow/nuxt'],
 *   pgflow: { private: true },
 * })
 */
const pgflowModule: NuxtModule<PgflowModuleOptions> = defineNuxtModule<PgflowModuleOptions>({
  meta: { name: 'pinia-pgflow', configKey: 'pgflow', compatibility: { nuxt: '^4.2.0' } },
  setup(options, nuxt) {
    const { resolve } = createResolver(import.meta.url)
    nuxt.options.runtimeConfig.public.pgflow = runtimeOptionsOf(options)
    // These files import modules that only exist in Nuxt's build, such as `#imports`.
    nuxt.options.build.transpile.push(resolve('./runtime'))
    nuxt.options.vite.optimizeDeps ??= {}
    // Otherwise Vite finds it at the first page that uses it, and reloads that page.
    nuxt.options.vite.optimizeDeps.include = [
      ...(nuxt.options.vite.optimizeDeps.include ?? []),
      'pinia-pgflow',
    ]
    addTemplate({ filename: 'pgflow-setup.mjs', write: true, getContents: () => setupOf(options) })
    addImports([
      ...[...composables, ...stores].map((name) => ({ name, from: 'pinia-pgflow' })),
      { name: 'definePgflowSetup', from: resolve('./runtime/define-setup') },
    ])
    addPlugin(resolve('./runtime/payload-plugin'))
    // Other modules may come later in the list; their plugins have to run first.
    nuxt.hook('modules:done', () => {
      checkModules(nuxt, options)
      addPlugin(resolve('./runtime/plugin'), { append: true })
    })
  },
})
export default pgflowModule

/** Writes the module `#build/pgflow-setup.mjs`, through which the plugin imports the app's file. */
function setupOf({ setup }: PgflowModuleOptions): string {
  if (setup !== undefined) return `export { default } from ${JSON.stringify(setup)}\n`
  const type = "/** @type {import('pinia-pgflow/nuxt').PgflowSetup | undefined} */"
  return `${type}\nconst setup = undefined\nexport default setup\n`
}

/**
 * Fails the build if one of these is missing. Otherwise every page would fail with a vague error.
 */
function checkModules(nuxt: Nuxt, options: PgflowModuleOptions): void {
  const installed = new Set(nuxt.options._installedModules.map(({ meta }) => meta.name))
  // `@pinia/nuxt` calls itself `pinia`.
  if (!installed.has('pinia') && !installed.has('@pinia/nuxt')) {
    throw new Error('pinia-pgflow/nuxt needs Pinia. Add @pinia/nuxt to modules in nuxt.config.')
  }
  if (options.setup === undefined && !installed.has('@nuxtjs/supabase')) {
    throw new Error(
      'pinia-pgflow/nuxt needs a Supabase client. Add @nuxtjs/supabase to modules in nuxt.config, or name a file that returns a client of your own: pgflow: { setup: "~/pgflow-setup.ts" }.',
    )
  }
}
