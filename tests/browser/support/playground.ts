import { createServer, type InlineConfig, type ViteDevServer } from 'vite'
import type { BackendCore } from '../../../playground/backend/index.ts'
import { playgroundConfig } from '../../../playground/config.ts'
import { bundlePlayground } from './bundled-playground.ts'

/** The playground, and a hand on the switches of its backend. */
export interface Playground {
  url: string
  backend: BackendCore
  close(): Promise<void>
}

export interface PlaygroundServerOptions {
  /** Default 0: steps work as fast as they can. */
  paceMs?: number
  /**
   * Whether Vue devtools are on the page, which is then loaded from its sources, as `npm start`
   * serves it. Default: no.
   */
  devtools?: boolean
}

/** Serves the playground on a free port, with a backend of its own. */
export async function servePlayground({
  paceMs = 0,
  devtools = false,
}: PlaygroundServerOptions = {}): Promise<Playground> {
  // A project of the developer's own has no place in a test.
  delete process.env.VITE_SUPABASE_URL
  let announce: (backend: BackendCore) => void = () => {}
  const ready = new Promise<BackendCore>((resolve) => (announce = resolve))
  const backend = { onReady: (core: BackendCore) => announce(core) }
  const options = { paceMs, devtools, backend }
  if (devtools) {
    const { server, url } = await listen(playgroundConfig(options), false)
    return { url, backend: await ready, close: () => server.close() }
  }
  const { config, remove } = await bundlePlayground(options)
  const { server, url } = await listen(config, false)
  const close = async () => {
    await server.close()
    await remove()
  }
  return { url, backend: await ready, close }
}

/** Serves the playground over a project of one's own, which `.env.local` in a folder names. */
export async function servePlaygroundOf(
  envDir: string,
): Promise<Pick<Playground, 'url' | 'close'>> {
  const { server, url } = await listen(playgroundConfig({ paceMs: 0, devtools: false }), envDir)
  return { url, close: () => server.close() }
}

async function listen(
  config: InlineConfig,
  envDir: string | false,
): Promise<{ server: ViteDevServer; url: string }> {
  const server = await createServer({
    ...config,
    configFile: false,
    envDir,
    cacheDir: new URL('../output/.vite', import.meta.url).pathname,
    logLevel: 'warn',
    // Nobody's edits reload the page in the middle of a test.
    server: { host: '127.0.0.1', port: 0, strictPort: false, hmr: false, watch: null },
  })
  await server.listen()
  const [url] = server.resolvedUrls?.local ?? []
  if (url === undefined) throw new Error('The dev server does not listen')
  return { server, url }
}
