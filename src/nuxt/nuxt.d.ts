/**
 * The little of Nuxt that `src/nuxt` uses. Nuxt itself is no dependency of development: it is 600
 * packages. The app in `tests/apps/nuxt` compiles these files against the types of the real one.
 * Nothing of this is published: there, `nuxt` of the app has the types.
 */
declare module 'nuxt/schema' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- filled in by the module
  export interface NuxtConfig {}
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- filled in by the module
  export interface PublicRuntimeConfig {}
  export interface NuxtOptions {
    runtimeConfig: { public: PublicRuntimeConfig }
    build: { transpile: (string | RegExp)[] }
    vite: { optimizeDeps?: { include?: string[] } }
    _installedModules: { meta: { name?: string } }[]
  }
  export interface Nuxt {
    options: NuxtOptions
    hook(name: 'modules:done', listener: () => void): void
  }
  export type NuxtModule<Options> = (options: Partial<Options>, nuxt: Nuxt) => unknown
}

declare module 'nuxt/kit' {
  import type { Nuxt, NuxtModule } from 'nuxt/schema'

  export function defineNuxtModule<Options>(definition: {
    meta: { name: string; configKey: string; compatibility: { nuxt: string } }
    setup: (options: Options, nuxt: Nuxt) => void
  }): NuxtModule<Options>
  export function createResolver(base: string): { resolve: (...path: string[]) => string }
  export function addImports(imports: { name: string; from: string }[]): void
  export function addPlugin(file: string, options?: { append?: boolean }): void
  export function addTemplate(template: {
    filename: string
    write?: boolean
    getContents: () => string
  }): void
}

declare module '#imports' {
  import type { PublicRuntimeConfig } from 'nuxt/schema'
  import type { App } from 'vue'

  interface NuxtApp {
    vueApp: App
    /** Of `@nuxtjs/supabase`. */
    $supabase?: unknown
  }
  export function defineNuxtPlugin(plugin: {
    name: string
    dependsOn: string[]
    setup: (nuxtApp: NuxtApp) => void
  }): unknown
  export function definePayloadPlugin(plugin: () => void): unknown
  export function definePayloadReducer(name: string, reduce: (value: unknown) => unknown): void
  export function definePayloadReviver(name: string, revive: (text: string) => unknown): void
  export function useRuntimeConfig(): { public: PublicRuntimeConfig }
}

declare module '#build/pgflow-setup.mjs' {
  import type { PgflowOptions } from 'pinia-pgflow'

  const setup: (() => Partial<PgflowOptions>) | undefined
  export default setup
}
