import appSetup from '#build/pgflow-setup.mjs'
import { defineNuxtPlugin, useRuntimeConfig } from '#imports'
import { createPgflow, PgflowError, type PgflowOptions } from 'pinia-pgflow'

/** Installs pinia-pgflow: on the server for each request, with the client of that request. */
export default defineNuxtPlugin({
  name: 'pgflow',
  dependsOn: ['pinia'],
  setup(nuxtApp) {
    const given = appSetup?.() ?? {}
    const supabase = given.supabase ?? clientIn(nuxtApp.$supabase)
    if (!supabase) {
      throw new PgflowError('invalid_options', 'pinia-pgflow has no Supabase client.', {
        hint: 'Add @nuxtjs/supabase to modules in nuxt.config, or return a client from the file that pgflow.setup names.',
      })
    }
    nuxtApp.vueApp.use(createPgflow({ ...useRuntimeConfig().public.pgflow, ...given, supabase }))
  },
})

/** The client that `@nuxtjs/supabase` provides. `createPgflow` checks that it is one. */
function clientIn(provided: unknown): PgflowOptions['supabase'] | undefined {
  if (typeof provided !== 'object' || provided === null || !('client' in provided)) return undefined
  return provided.client as PgflowOptions['supabase']
}
