import type { PgflowOptions } from '../options.ts'

/** The options of `createPgflow` that a configuration file can hold: values, no objects of code. */
const names = [
  'schema',
  'private',
  'startTimeout',
  'snapshotTimeout',
  'gcTime',
  'stallAfter',
  'maxChannels',
  'ssrTimeout',
] as const satisfies (keyof PgflowOptions)[]

/** The options that the server and the browser share through Nuxt's runtime configuration. */
export type PgflowPublicOptions = Pick<PgflowOptions, (typeof names)[number]>

/** What `pgflow` in nuxt.config takes. */
export interface PgflowModuleOptions extends PgflowPublicOptions {
  /**
   * A file with what a configuration cannot hold: a Supabase client of your own, `flows`,
   * `onError`. Its default export is what `definePgflowSetup` returns.
   * @example '~/pgflow-setup.ts'
   */
  setup?: string
}

/**
 * Called once for each request on the server and once in the browser, where composables of Nuxt
 * can be called. What it returns goes before what nuxt.config says; without `supabase`, the client
 * of `@nuxtjs/supabase` is used.
 */
export type PgflowSetup = () => Partial<PgflowOptions>

/**
 * What goes into the runtime configuration: what was given, the rest has its defaults. Environment
 * variables change only what is in there, so the two that differ between projects always are.
 */
export function runtimeOptionsOf(options: PgflowModuleOptions): PgflowPublicOptions {
  const { schema = 'pgflow_client', private: isPrivate = false } = options
  const given = names.filter((name) => options[name] !== undefined)
  return {
    ...Object.fromEntries(given.map((name) => [name, options[name]])),
    schema,
    private: isPrivate,
  }
}
