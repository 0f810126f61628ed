import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Database } from '../database.ts'
import type { Keys } from '../keys.ts'
import { Tokens } from '../tokens.ts'
import { createAuthorization } from './authorization.ts'
import type { Services } from './channel.ts'
import { Dispatcher, followMessages } from './dispatcher.ts'
import { EventRate } from './event-rate.ts'
import { Faults, type FaultSwitches } from './faults.ts'
import { checkHandshake, refuseUpgrade } from './handshake.ts'
import { defaultSettings, type RealtimeSettings } from './settings.ts'
import { RealtimeSocket } from './socket.ts'

/** The stand-in for Supabase Realtime: broadcasts from the database, public and private. */
export interface Realtime {
  readonly faults: FaultSwitches
  /** Limits and waits; a change holds at once, except for `maxFrameBytes`. */
  readonly settings: RealtimeSettings
  /** Takes over the upgrade of a request for `/realtime/v1/websocket`. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): Promise<void>
}

/** What may differ from the real server's defaults, and who is let in. */
export interface RealtimeOptions extends Partial<RealtimeSettings> {
  /** Origins of pages besides those of this machine. */
  allowedOrigins?: readonly string[]
  /** Checks the tokens of users. Default: by the keys alone. */
  tokens?: Tokens
}

export async function createRealtime(
  db: Database,
  keys: Keys,
  { allowedOrigins = [], tokens = new Tokens(keys), ...overrides }: RealtimeOptions = {},
): Promise<Realtime> {
  const settings = { ...defaultSettings, ...overrides }
  const rate = new EventRate(settings)
  const faults = new Faults(settings, rate)
  const dispatcher = new Dispatcher(settings, rate)
  const services: Services = {
    tokens,
    settings,
    faults,
    dispatcher,
    authorization: createAuthorization(db),
  }
  const server = new WebSocketServer({ noServer: true, maxPayload: settings.maxFrameBytes })
  const refusals = new Map<Duplex, NodeJS.Timeout>()
  let closed = false
  const unfollow = await followMessages(db, faults, dispatcher)

  const refuse = (socket: Duplex, waitMs: number, status: number, error?: string) => {
    const timer = setTimeout(() => refuseUpgrade(socket, status, error), waitMs)
    refusals.set(socket, timer)
    socket.once('close', () => {
      clearTimeout(timer)
      refusals.delete(socket)
    })
  }
  const upgrade = async (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined)
    const handshake = await checkHandshake(req, keys, allowedOrigins)
    if (closed) return void socket.destroy()
    if (!handshake.ok) {
      const waitMs = handshake.immediate ? 0 : settings.handshakeErrorDelayMs
      return refuse(socket, waitMs, handshake.status, handshake.error)
    }
    const { apiKey, serializer } = handshake
    const client = { apiKey, serializer, headers: policyHeaders(req) }
    server.handleUpgrade(req, socket, head, (ws) => {
      faults.watch(ws)
      new RealtimeSocket(ws, services, client)
    })
  }

  return {
    faults,
    settings,
    upgrade: (req, socket, head) => void upgrade(req, socket, head).catch(() => socket.destroy()),
    close: async () => {
      closed = true
      for (const socket of refusals.keys()) socket.destroy()
      await unfollow()
      faults.killSockets()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** The request's headers that policies see in `request.headers`, which are not all. */
function policyHeaders(req: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(req.headers)
      .filter(([name]) => name.startsWith('x-'))
      .map(([name, value]) => [name, [value].flat().join(', ')]),
  )
}
