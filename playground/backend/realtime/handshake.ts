import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Keys } from '../keys.ts'
import { isAllowedOrigin } from '../origins.ts'
import { version1 } from './protocol-v1.ts'
import { version2 } from './protocol-v2.ts'
import type { Serializer } from './serializer.ts'

/** Where supabase-js connects to. */
export const websocketPath = '/realtime/v1/websocket'

export type Handshake =
  | { ok: true; apiKey: string; serializer: Serializer }
  | { ok: false; status: number; error?: string; immediate?: boolean }

export function isRealtimeUrl(url: string | undefined): boolean {
  // Compared as text: what a stranger sends as an address need not be one.
  return url?.split('?', 1)[0] === websocketPath
}

/** Decides whether a client may connect: origin, protocol version and API key. */
export async function checkHandshake(
  req: IncomingMessage,
  keys: Keys,
  allowedOrigins: readonly string[],
): Promise<Handshake> {
  if (!isAllowedOrigin(req.headers.origin, allowedOrigins)) {
    return { ok: false, status: 403, error: 'Foreign origin', immediate: true }
  }
  const searchParams = new URLSearchParams(req.url?.split('?').slice(1).join('?'))
  const serializer = serializerOf(searchParams.get('vsn') ?? '1.0.0')
  if (!serializer) return { ok: false, status: 403, immediate: true }
  const header = req.headers['x-api-key']
  const apiKey = typeof header === 'string' ? header : searchParams.get('apikey')
  if (!apiKey) return { ok: false, status: 401, error: 'API key is required' }
  const check = await keys.verify(apiKey)
  if (!check.ok) return { ok: false, status: 401, error: check.fault.message }
  return { ok: true, apiKey, serializer }
}

/** Patch versions do not matter. */
function serializerOf(version: string): Serializer | undefined {
  if (/^1\.0\.\d+$/.test(version)) return version1
  return /^2\.0\.\d+$/.test(version) ? version2 : undefined
}

/**
 * Answers a refused upgrade with plain HTTP, as there is no WebSocket to close. Then the connection is
 * over, whether or not the client closes its side.
 */
export function refuseUpgrade(socket: Duplex, status: number, error?: string): void {
  const body = error === undefined ? '' : JSON.stringify({ error })
  socket.once('finish', () => socket.destroy())
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  )
}
