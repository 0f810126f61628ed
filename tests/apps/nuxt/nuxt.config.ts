// The client of @nuxtjs/supabase, or one that the app makes itself.
const hasOwnClient = process.env.OWN_CLIENT === 'true'

export default defineNuxtConfig({
  compatibilityDate: '2026-01-01',
  // pinia-pgflow comes first: the order of modules is no matter.
  modules: process.env.MODULES?.split(',') ?? [
    'pinia-pgflow/nuxt',
    '@pinia/nuxt',
    ...(hasOwnClient ? [] : ['@nuxtjs/supabase']),
  ],
  ...(hasOwnClient ? {} : { supabase: { redirect: false } }),
  pgflow: { ssrTimeout: 1_500, ...(hasOwnClient ? { setup: '~/pgflow-setup.ts' } : {}) },
  runtimeConfig: { public: { supabaseUrl: '', supabaseKey: '' } },
  typescript: { strict: true },
  experimental: { typedPages: true },
  // Says which element differs, not only that one does.
  vite: { define: { __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'true' } },
  telemetry: false,
  devtools: { enabled: false },
})
