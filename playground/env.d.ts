/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** The address of a Supabase project; without it the embedded backend serves this page. */
  readonly VITE_SUPABASE_URL?: string
  readonly VITE_SUPABASE_ANON_KEY: string
  /** `true` where the runs of that project are private. */
  readonly VITE_PGFLOW_PRIVATE?: string
  /** How long each step of the embedded backend waits before it works, in ms. */
  readonly VITE_PACE_MS: string
}

// For tools that do not read components; vue-tsc does, and finds their own types first.
declare module '*.vue' {
  import type { Component } from 'vue'
  const component: Component
  export default component
}
