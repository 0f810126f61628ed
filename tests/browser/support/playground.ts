import { createServer } from 'vite'
import type { BackendCore } from '../../../playground/backend/index.ts'
import { playgroundConfig } from '../../../playground/config.ts'

/** The playground as `npm start` serves it, and a hand on the switches of its backend. */
export interface Playground {
  url: string
  backend: BackendCore
  close(): Promise<void>
}

export interface PlaygroundServerOptions {
  /** Default 0: steps work as fast as they can. */
  paceMs?: number
  /** Whether Vue devtools are on the page. Default: no. */
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
  const server = await createServer({
    ...playgroundConfig({ paceMs, devtools, backend: { onReady: (backend) => announce(backend) } }),
    configFile: false,
    envDir: false,
    cacheDir: new URL('../output/.vite', import.meta.url).pathname,
    logLevel: 'warn',
    // Nobody's edits reload the page in the middle of a test.
    server: { host: '127.0.0.1', port: 0, strictPort: false, hmr: false, watch: null },
  })
  await server.listen()
  const [url] = server.resolvedUrls?.local ?? []
  if (url === undefined) throw new Error('The dev server does not listen')
  return { url, backend: await ready, close: () => server.close() }
}
