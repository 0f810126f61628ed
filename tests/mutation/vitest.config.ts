import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { QuickFirst } from './quick-first.ts'
import { warmPool } from './warm-pool.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/**
 * What mutants are tried against: what is fast, needs no network and no database, and does the same
 * each time. `npm run mutate` uses it.
 */
export default defineConfig({
  root: path('../..'),
  plugins: [
    vue(),
    {
      name: 'warm-pool',
      // Not by the option: Stryker sets that one itself.
      configureVitest({ project }) {
        project.config.pool = warmPool.name
        project.config.poolRunner = warmPool
      },
    },
  ],
  resolve: {
    alias: {
      'pinia-pgflow/testing': path('../../src/testing/index.ts'),
      'pinia-pgflow': path('../../src/index.ts'),
    },
  },
  test: {
    include: [
      'tests/mutation/**/*.spec.ts',
      'tests/unit/{sync,model,testing}/**/*.spec.ts',
      'tests/unit/store/{retries,unconfirmed}.spec.ts',
    ],
    environment: path('./environment.ts'),
    setupFiles: [
      path('./fixed-seed.ts'),
      path('../support/no-warnings.ts'),
      path('../support/clean-prototypes.ts'),
    ],
    // One world for all of them: most of the time went into making new ones.
    isolate: false,
    sequence: { sequencer: QuickFirst },
    // Virtual time needs none: whatever waits longer waits for what the mutant has lost.
    testTimeout: 3_000,
  },
})
