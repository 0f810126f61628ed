import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import type { Plugin } from 'vite'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { componentStyles, stylesEntry } from './scripts/component-styles.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const entries = {
  index: path('./src/index.ts'),
  testing: path('./src/testing/index.ts'),
  components: path('./src/components/index.ts'),
}
// The longer names first: the shorter one would take them for files of its own.
const alias = {
  'pinia-pgflow/testing': entries.testing,
  'pinia-pgflow/components.css': stylesEntry,
  'pinia-pgflow/components': entries.components,
  'pinia-pgflow': entries.index,
}

/** The styles of the components are a file that apps import themselves. */
const emitStyles: Plugin = {
  name: 'emit-styles',
  generateBundle() {
    this.emitFile({
      type: 'asset',
      fileName: 'components.css',
      source: componentStyles(),
    })
  },
}

const environments = {
  node: 'node',
  dom: path('./tests/support/dom-environment.ts'),
  components: path('./tests/support/component-environment.ts'),
}

interface ProjectOptions {
  name?: string
  isolate?: boolean
}

/**
 * Vue needs a DOM; nothing else gets one. The files of a project share the world of their worker, as
 * most of the time went into loading Vue, supabase-js and the PGlite engine anew for each of them.
 */
const project = (
  environment: keyof typeof environments,
  include: string[],
  { name = environment, ...options }: ProjectOptions = {},
) => ({
  extends: true as const,
  test: {
    name,
    include,
    environment: environments[environment],
    isolate: false,
    ...options,
    setupFiles: [
      path('./tests/support/no-warnings.ts'),
      path('./tests/support/clean-prototypes.ts'),
    ],
    // For a small machine that does other things too; what is right takes a fraction of it.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})

/** What has to compile, and what must not: a compiler run of its own. */
const typesProject = (name: string, folder: string) => ({
  extends: true as const,
  test: {
    name,
    include: [],
    typecheck: {
      enabled: true,
      only: true,
      checker: 'vue-tsc' as const,
      include: [`${folder}/*.spec-d.ts`],
      tsconfig: path(`./${folder}/tsconfig.json`),
    },
  },
})

/**
 * One file for four jobs: `vite` serves the playground, `vite build --mode lib` builds the
 * library and `--mode cli` its command, `vitest` runs the tests.
 */
export default defineConfig(async ({ mode }): Promise<ViteUserConfig> => {
  if (mode === 'lib') {
    return {
      plugins: [vue(), emitStyles],
      publicDir: false,
      build: {
        target: 'es2022',
        minify: false,
        sourcemap: true,
        lib: { entry: entries, formats: ['es'] },
        // What several entries use is one module: an app under test has one store, one `PgflowError`.
        rolldownOptions: {
          external: ['vue', 'pinia', 'valibot', '@vue/devtools-api', /^@supabase\//],
          output: {
            chunkFileNames: (chunk) => (chunk.isDynamicEntry ? '[name].js' : 'shared.js'),
            codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] },
          },
        },
      },
    }
  }
  if (mode === 'cli') {
    return {
      publicDir: false,
      build: {
        // The command runs from its package, beside what it imports.
        ssr: path('./src/cli/main.ts'),
        target: 'node20.19',
        minify: false,
        emptyOutDir: false,
        rolldownOptions: {
          output: {
            entryFileNames: 'cli.js',
            chunkFileNames: 'cli/[name].js',
            banner: (chunk) => (chunk.isEntry ? '#!/usr/bin/env node' : ''),
          },
        },
      },
    }
  }
  if (process.env.VITEST) {
    const { docsCode } = await import('./tests/support/docs-code.ts')
    const { shortLived } = await import('./tests/support/short-lived.ts')
    const { Sequencer } = await import('./tests/support/sequencer.ts')
    return {
      plugins: [docsCode(), vue()],
      resolve: { alias },
      test: {
        globalSetup: ['tests/support/global-setup.ts'],
        // One more than there are cores, as now and then each waits for a timer or for a process.
        maxWorkers: availableParallelism() + 1,
        execArgv: shortLived,
        sequence: { sequencer: Sequencer },
        projects: [
          project('node', [
            'tests/{backend,cli,conformance,simulation,sql,ssr}/**/*.spec.ts',
            'tests/unit/{backend,bundle,docs,flows,model,sync}/**/*.spec.ts',
          ]),
          project('dom', [
            'tests/integration/*.spec.ts',
            'tests/unit/*.spec.ts',
            'tests/unit/{composables,hostile,store,testing}/**/*.spec.ts',
            'tests/unit/devtools/*.spec.ts',
          ]),
          // They replace a module that others would have loaded before, each for its own panel.
          project('dom', ['tests/unit/devtools/panel/*.spec.ts'], {
            name: 'devtools',
            isolate: true,
          }),
          project('components', [
            'tests/unit/components/**/*.spec.ts',
            'tests/integration/playground/**/*.spec.ts',
          ]),
          typesProject('types', 'tests/types'),
          // What it registers would hold for everything it is compiled with.
          typesProject('registry', 'tests/types/registry'),
        ],
      },
    }
  }
  // Only here, as it brings the whole backend along.
  const { playgroundConfig } = await import('./playground/config.ts')
  return playgroundConfig({ paceMs: Number(process.env.PLAYGROUND_PACE_MS ?? 450) })
})
