import type { IncomingMessage, ServerResponse } from 'node:http'
import { resolve } from 'node:path'
import type { Duplex } from 'node:stream'
import {
  defaultAllowedOrigins,
  loadEnv,
  type Plugin,
  type UserConfig,
  type ViteDevServer,
} from 'vite'
import { isEmbeddedUrl, isRestUrl } from './http.ts'
import { createBackendCore, type BackendCore, type BackendOptions } from './index.ts'
import { createKeys, type Keys } from './keys.ts'
import { isRealtimeUrl } from './realtime/handshake.ts'
import { closeUnreadable } from './vite-targets.ts'

/** What `embeddedBackend` takes. */
export interface EmbeddedBackendOptions extends Omit<BackendOptions, 'port'> {
  /**
   * Origins of pages that may use it besides those of this machine, such as
   * `http://my-computer.local:5173`. They go to Vite's `server.cors` too, which answers preflights
   * before any plugin does, unless your configuration has a `server.cors` of its own: then name them
   * there as well.
   */
  allowedOrigins?: readonly string[]
  /** Given the backend once it is up, for tests that need its switches. */
  onReady?: (backend: BackendCore) => void
}

/**
 * Serves an embedded Supabase from Vite's own dev server, for a page that has no project yet:
 * `createClient(location.origin, import.meta.env.VITE_SUPABASE_ANON_KEY)`. Where
 * `VITE_SUPABASE_URL` is set, in the environment or an .env file, it stays out of the way.
 */
export function embeddedBackend(options: EmbeddedBackendOptions = {}): Plugin {
  let keys: Promise<Keys> | undefined
  return {
    name: 'pinia-pgflow:embedded-backend',
    apply: (_config, { command, isPreview }) => command === 'serve' && isPreview !== true,
    async config({ root = process.cwd(), envDir, server }, { mode }) {
      const env =
        envDir === false ? process.env : loadEnv(mode, resolve(root, envDir ?? '.'), 'VITE_')
      if (env.VITE_SUPABASE_URL) return undefined
      keys ??= createKeys(options.jwtSecret)
      const { anonKey } = await keys
      return {
        define: { 'import.meta.env.VITE_SUPABASE_ANON_KEY': JSON.stringify(anonKey) },
        ...(server?.cors === undefined && answerPreflights(options.allowedOrigins)),
      }
    },
    async configureServer(server) {
      if (keys) mount(server, { ...options, jwtSecret: (await keys).secret })
    },
  }
}

/** Vite answers preflights before any plugin does, for pages of this machine alone. */
function answerPreflights(origins: readonly string[] = []): UserConfig {
  return { server: { cors: { origin: [defaultAllowedOrigins, ...origins] } } }
}

/** The page loads while the backend boots; requests for it wait until it is there. */
function mount(server: ViteDevServer, options: EmbeddedBackendOptions): void {
  const { httpServer, config } = server
  if (!httpServer) throw new Error('The embedded backend needs a dev server that listens by itself')
  closeUnreadable(httpServer)
  const booting = createBackendCore(options)
  booting.then(
    (backend) => {
      config.logger.info('  Embedded Supabase ready (in memory, for development only)')
      options.onReady?.(backend)
    },
    (error: unknown) =>
      config.logger.error(`The embedded Supabase did not start: ${String(error)}`),
  )
  server.middlewares.use((req, res, next) => {
    if (isRestUrl(req.url) || isEmbeddedUrl(req.url)) void handle(booting, req, res)
    else next()
  })
  httpServer.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (isRealtimeUrl(req.url)) void upgrade(booting, req, socket, head)
  })
  httpServer.once('close', () => void booting.then((core) => core.close()).catch(() => undefined))
}

async function handle(
  booting: Promise<BackendCore>,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  try {
    const core = await booting
    core.handle(req, res)
  } catch {
    res.writeHead(503, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ message: 'The embedded Supabase did not start; see the terminal' }))
  }
}

async function upgrade(
  booting: Promise<BackendCore>,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  // Whoever hangs up while the backend boots must not end the dev server.
  socket.on('error', () => undefined)
  try {
    const core = await booting
    core.upgrade(req, socket, head)
  } catch {
    socket.destroy()
  }
}
