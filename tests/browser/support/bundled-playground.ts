import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type InlineConfig } from 'vite'
import { createKeys } from '../../../playground/backend/keys.ts'
import { playgroundConfig, type PlaygroundOptions } from '../../../playground/config.ts'

export interface BundledPlayground {
  config: InlineConfig
  /** Removes the bundle. */
  remove: () => Promise<void>
}

/**
 * The configuration of a dev server whose page is bundled once: each test opens it in a profile
 * without a cache, and would load 270 modules. It is a build for development, so Vue warns in it as
 * on the page of `npm start`.
 */
export async function bundlePlayground(options: PlaygroundOptions): Promise<BundledPlayground> {
  const [{ secret, anonKey }, folder] = await Promise.all([
    createKeys(),
    mkdtemp(join(tmpdir(), 'playground-')),
  ])
  const config = playgroundConfig(options)
  await build({
    ...config,
    configFile: false,
    envDir: false,
    mode: 'development',
    logLevel: 'error',
    define: {
      ...config.define,
      'process.env.NODE_ENV': JSON.stringify('development'),
      'import.meta.env.VITE_SUPABASE_ANON_KEY': JSON.stringify(anonKey),
    },
    build: { outDir: folder, emptyOutDir: true, minify: false },
  })
  return {
    config: {
      // Its backend has to accept the key that is in the bundle.
      ...playgroundConfig({ ...options, backend: { ...options.backend, jwtSecret: secret } }),
      root: folder,
      // What is in there is served as it is.
      publicDir: folder,
      optimizeDeps: { noDiscovery: true, include: [] },
    },
    remove: () => rm(folder, { recursive: true }),
  }
}
