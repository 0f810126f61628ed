import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AnyFlow } from '@pgflow/dsl'
import { openDatabase, type Database, type DatabaseOptions } from './database.ts'
import { createEndpoint } from './faults/endpoint.ts'
import { withRestFaults } from './faults/rest-faults.ts'
import { createSwitchboard, type Switchboard } from './faults/switchboard.ts'
import { isEmbeddedUrl, isRestUrl, listen, serve, stop } from './http.ts'
import { createKeys, type Keys } from './keys.ts'
import { isRealtimeUrl } from './realtime/handshake.ts'
import { createRealtime, type Realtime } from './realtime/server.ts'
import type { RealtimeSettings } from './realtime/settings.ts'
import { createRest } from './rest.ts'
import { Tokens } from './tokens.ts'
import { createWorker, type Worker, type WorkerOptions } from './worker/worker.ts'

export interface BackendOptions {
  /** Flows to create and run. */
  flows?: readonly AnyFlow[]
  /** SQL to run once, after all migrations and before the first request. */
  setup?: string
  /** The roles that may start each flow over the API. Default: anon and authenticated. */
  allowStart?: readonly string[]
  /** The port on 127.0.0.1; default 0, any free one. */
  port?: number
  /** What API keys and tokens are signed with. Default: random. */
  jwtSecret?: string
  database?: DatabaseOptions
  realtime?: Partial<RealtimeSettings>
  worker?: WorkerOptions
  /** Schemas PostgREST exposes. Default: public and pgflow_client. */
  schemas?: readonly string[]
  /**
   * Origins of pages that may use it besides those of this machine, such as
   * `http://my-computer.local:5173`. Other pages are refused, in whichever tab they are open.
   */
  allowedOrigins?: readonly string[]
  /** The most rows of a reply of the API, as a project's setting "Max rows". Default: no limit. */
  maxRows?: number
  /** The most bytes of a request's body. Default: 6 MB. */
  maxBodyBytes?: number
}

/** An embedded Supabase without its own server: mount it on one. */
export interface BackendCore {
  readonly anonKey: string
  readonly serviceRoleKey: string
  readonly keys: Keys
  readonly db: Database
  readonly realtime: Pick<Realtime, 'faults' | 'settings'>
  readonly worker: Worker
  /** What can go wrong: the same switches that a page has under `/embedded/v1/faults`. */
  readonly faults: Switchboard
  /** Answers a request for REST, Auth or the switches; false when it is for something else. */
  handle(req: IncomingMessage, res: ServerResponse): boolean
  /** Takes over an upgrade to the Realtime socket; false when it is for something else. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /** Stops everything; nothing keeps the process alive afterwards. Safe to call again. */
  close(): Promise<void>
}

/** An embedded Supabase that listens on loopback: Postgres, REST, Auth, Realtime and a worker. */
export interface Backend extends Omit<BackendCore, 'handle' | 'upgrade'> {
  readonly url: string
}

/**
 * Boots everything that needs no server of its own. For development and tests: one connection, in
 * memory, and a stand-in for Realtime. Production is a Supabase project.
 */
export async function createBackendCore(options: BackendOptions = {}): Promise<BackendCore> {
  const [db, keys] = await Promise.all([
    openDatabase(options.database),
    createKeys(options.jwtSecret),
  ])
  if (options.setup !== undefined) {
    await db.exec(options.setup)
    await db.connection.clearSchemaCache()
  }
  const rest = await createRest({
    db,
    keys,
    schemas: options.schemas ?? ['public', 'pgflow_client'],
    maxRows: options.maxRows,
  })
  const { allowedOrigins = [], maxBodyBytes = 6 * 1024 ** 2 } = options
  const tokens = new Tokens(keys)
  const realtime = await createRealtime(db, keys, { ...options.realtime, allowedOrigins, tokens })
  const faults = createSwitchboard({ realtime, tokens })
  const closing = new AbortController()
  const endpoint = createEndpoint(rest, faults)
  const faultyRest = withRestFaults(rest, { faults, tokens, closing: closing.signal })
  const worker = await createWorker(db, options.worker)
  for (const flow of options.flows ?? []) {
    await worker.register(flow, options.allowStart ?? ['anon', 'authenticated'])
  }
  return {
    anonKey: keys.anonKey,
    serviceRoleKey: keys.serviceRoleKey,
    keys,
    db,
    realtime,
    worker,
    faults,
    handle(req, res) {
      const limits = { allowedOrigins, maxBodyBytes }
      if (isEmbeddedUrl(req.url)) void serve(req, res, endpoint, limits)
      else if (!isRestUrl(req.url)) return false
      else if (faults.state.offline) cutOff(res)
      else void serve(req, res, faultyRest, limits)
      return true
    },
    upgrade(req, socket, head) {
      if (!isRealtimeUrl(req.url)) return false
      if (faults.state.offline) socket.destroy()
      else realtime.upgrade(req, socket, head)
      return true
    },
    close: once(() => {
      closing.abort()
      return closeAll([worker, faults, realtime, rest, db])
    }),
  }
}

/** Boots the embedded Supabase on a port of its own. */
export async function createBackend(options: BackendOptions = {}): Promise<Backend> {
  const core = await createBackendCore(options)
  const server = createHttpServer(core)
  const url = await listen(server, options.port ?? 0, '127.0.0.1').catch(async (error: unknown) => {
    await core.close()
    throw error
  })
  return {
    url,
    anonKey: core.anonKey,
    serviceRoleKey: core.serviceRoleKey,
    keys: core.keys,
    db: core.db,
    realtime: core.realtime,
    worker: core.worker,
    faults: core.faults,
    close: once(async () => {
      await Promise.all([core.close(), stop(server)])
    }),
  }
}

function createHttpServer(core: BackendCore): Server {
  const server = createServer((req, res) => {
    if (core.handle(req, res)) return
    res.writeHead(404, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ message: 'no Route matched with those values' }))
  })
  server.on('upgrade', (req, socket, head) => {
    socket.on('error', () => undefined)
    if (!core.upgrade(req, socket, head)) socket.destroy()
  })
  return server
}

/** Ends a connection without an answer. */
function cutOff(res: ServerResponse): void {
  res.on('error', () => undefined)
  res.destroy()
}

/** All at once: what is still asked of the database would be lost with it. */
async function closeAll(parts: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(parts.map((part) => part.close()))
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}
