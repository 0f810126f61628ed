import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import type { UserConfig } from 'vite'
import vueDevTools from 'vite-plugin-vue-devtools'
import { embeddedBackend, type EmbeddedBackendOptions } from './backend/vite-plugin.ts'
import { flows } from './flows/index.ts'
import { visibilitySql } from './visibility.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** What may differ between the playground that people look at and the one that tests drive. */
export interface PlaygroundOptions {
  /** How long a step waits before it works, in ms, for people to follow it. */
  paceMs: number
  backend?: EmbeddedBackendOptions
  /**
   * Whether Vue devtools are on the page of the dev server.
   * @default true
   */
  devtools?: boolean
}

/** The Vite configuration of the playground: the app, and an embedded Supabase to run it on. */
export function playgroundConfig({
  paceMs,
  backend,
  devtools = true,
}: PlaygroundOptions): UserConfig {
  const pace = String(paceMs)
  return {
    root: path('.'),
    plugins: [
      vue(),
      // For the dev server only: a build has nothing of them. The inspector of components asks for
      // a module that is not there.
      devtools && vueDevTools({ componentInspector: false }),
      embeddedBackend({
        flows,
        setup: visibilitySql,
        worker: { env: { PLAYGROUND_PACE_MS: pace } },
        ...backend,
      }),
    ],
    resolve: {
      // The longer names first: the shorter one would take them for files of its own.
      alias: {
        'pinia-pgflow/components.css': path('../src/components/components.css'),
        'pinia-pgflow/components': path('../src/components/index.ts'),
        'pinia-pgflow': path('../src/index.ts'),
      },
    },
    define: { 'import.meta.env.VITE_PACE_MS': JSON.stringify(pace) },
    // Named, so that Vite does not find them one by one and reload the page each time.
    optimizeDeps: {
      include: [
        ...['vue', 'vue-router', 'pinia', 'valibot', '@supabase/supabase-js'],
        '@vue/devtools-api',
      ],
    },
    build: { outDir: path('../dist-playground') },
  }
}
