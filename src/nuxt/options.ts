import type { PgflowOptions } from '../options.ts'

/** The options of `createPgflow` that a configuration file can hold: plain values. */
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

/** The option `pgflow` in nuxt.config. */
export interface PgflowModuleOptions extends PgflowPublicOptions {
  /**
   * A file with options that are code: a Supabase client of your own, `flows`,
   * `onError`. Its default export is what `definePgflowSetup` returns.
   * @example '~/pgflow-setup.ts'
   */
  setup?: string
}

/**
 * Called once for each request on the server and once in the browser, where composables of Nuxt can
 * be called. The returned options override those of nuxt.config. Without `supabase`, the client of
 * `@nuxtjs/supabase` is used.
 */
export type PgflowSetup = () => Partial<PgflowOptions>

/**
 * The runtime configuration: the options that were given. Environment variables can only override
 * options that are in it, so the two that differ between projects are always included.
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
