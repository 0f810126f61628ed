import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Makes of a module what an app's bundler makes of it, and returns its address: TypeScript that is
 * run as it stands carries helpers, and asks for `process.env.NODE_ENV` at every event.
 */
export async function bundle(module: URL): Promise<string> {
  const entry = fileURLToPath(module)
  const outDir = join(root, 'node_modules/.cache/pinia-pgflow-bench', basename(entry, '.ts'))
  await build({
    configFile: false,
    logLevel: 'warn',
    root,
    define: { 'process.env.NODE_ENV': '"production"' },
    resolve: { alias: { 'pinia-pgflow': join(root, 'src/index.ts') } },
    ssr: { external: true },
    build: {
      ssr: entry,
      outDir,
      emptyOutDir: true,
      target: 'node20',
    },
  })
  return pathToFileURL(join(outDir, basename(entry, '.ts') + '.js')).href
}
