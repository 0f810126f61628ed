import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
/** Apps that install the packed package as anybody would: this needs `npm run build` and a network. */
export default defineConfig({
  root: path('../..'),
  test: {
    globalSetup: [path('../browser/support/global-setup.ts')],
    include: ['tests/apps/*.spec.ts'],
    // One installation at a time: small machines have two cores.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 600_000,
  },
})
