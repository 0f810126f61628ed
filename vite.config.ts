import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const alias = { 'pinia-pgflow': path('./src/index.ts') }

/**
 * One file for three jobs: `vite` serves the playground, `vite build --mode lib` builds the
 * library, `vitest` runs the tests.
 */
export default defineConfig(({ mode }) => {
  if (mode === 'lib') {
    return {
      publicDir: false,
      build: {
        target: 'es2022',
        minify: false,
        sourcemap: true,
        lib: { entry: { index: path('./src/index.ts') }, formats: ['es'] },
        rolldownOptions: { external: ['vue', 'pinia', 'valibot', /^@supabase\//] },
      },
    }
  }
  if (process.env['VITEST']) {
    return {
      plugins: [vue()],
      resolve: { alias },
      test: {
        include: ['tests/{unit,sql,integration,types}/**/*.spec.ts'],
        globalSetup: ['tests/support/global-setup.ts'],
        setupFiles: ['tests/support/no-warnings.ts'],
        // The PGlite engine is compiled once a worker process: on a small machine that is slow.
        testTimeout: 30_000,
        hookTimeout: 120_000,
      },
    }
  }
  return {
    root: path('./playground'),
    plugins: [vue()],
    resolve: { alias },
    build: { outDir: path('./dist-playground') },
  }
})
