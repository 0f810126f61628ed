import type { PgflowSetup } from '../options.ts'

/**
 * The default export of the file that `pgflow.setup` in nuxt.config names.
 *
 * @example
 * export default definePgflowSetup(() => ({ onError: (error) => console.warn(error.code) }))
 */
export function definePgflowSetup(setup: PgflowSetup): PgflowSetup {
  return setup
}
