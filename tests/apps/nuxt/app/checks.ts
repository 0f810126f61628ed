import type { NuxtConfig } from 'nuxt/schema'

/** What has to compile, and what must not: the module says so in Nuxt's own types. */
export const right: NuxtConfig = { pgflow: { private: true, ssrTimeout: 500, setup: '~/a.ts' } }
// @ts-expect-error the options are checked
export const wrongType: NuxtConfig = { pgflow: { private: 'yes' } }
// @ts-expect-error a client is no value that a configuration can hold
export const wrongName: NuxtConfig = { pgflow: { supabase: {} } }

export const isPrivate = (): boolean | undefined => useRuntimeConfig().public.pgflow.private
