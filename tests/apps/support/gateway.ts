import { createServer, type IncomingMessage } from 'node:http'
import {
  createBackendCore,
  type BackendCore,
  type BackendOptions,
} from '../../../playground/backend/index.ts'
import { listen, stop } from '../../../playground/backend/http.ts'

/** The embedded backend, and who has called which of its functions. */
export interface Gateway {
  url: string
  backend: BackendCore
  /** The functions that servers called, in order. */
  byServers: string[]
  /** The functions that pages called, in order. */
  byPages: string[]
  /** Answers nothing to servers until it is false again, as a database that hangs. */
  ignoresServers: boolean
  forget(): void
  close(): Promise<void>
}

/** Boots the embedded backend behind a server that notes each call of a function. */
export async function openGateway(options: BackendOptions): Promise<Gateway> {
  const backend = await createBackendCore(options)
  const server = createServer((req, res) => {
    const isPage = req.headers.origin !== undefined
    const name = functionOf(req)
    if (name !== undefined) (isPage ? gateway.byPages : gateway.byServers).push(name)
    if (gateway.ignoresServers && !isPage && name !== undefined) return
    if (backend.handle(req, res)) return
    res.writeHead(404).end()
  })
  server.on('upgrade', (req, socket, head) => {
    socket.on('error', () => undefined)
    if (!backend.upgrade(req, socket, head)) socket.destroy()
  })
  const gateway: Gateway = {
    url: '',
    backend,
    byServers: [],
    byPages: [],
    ignoresServers: false,
    forget() {
      gateway.byServers.length = 0
      gateway.byPages.length = 0
    },
    async close() {
      await Promise.all([backend.close(), stop(server)])
    },
  }
  gateway.url = await listen(server, 0, '127.0.0.1')
  return gateway
}

/** The function that a request calls; browsers ask first whether they may. */
function functionOf(req: IncomingMessage): string | undefined {
  if (req.method === 'OPTIONS') return undefined
  return /\/rpc\/(\w+)/.exec(req.url ?? '')?.[1]
}
