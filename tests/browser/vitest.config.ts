import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

export default defineConfig({
  root: path('../..'),
  resolve: { alias: { 'pinia-pgflow': path('../../src/index.ts') } },
  test: {
    include: ['tests/browser/**/*.spec.ts'],
    globalSetup: [path('./support/global-setup.ts')],
    // One dev server, one database and one browser for all: small machines have two cores.
    fileParallelism: false,
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What a page shows of an answer, it shows a moment after the answer.
    expect: { poll: { timeout: 10_000 } },
  },
})
