import { connect, type Socket } from 'node:net'
import type { Backend } from '../../../playground/backend/index.ts'

/** A TCP connection to a backend, for what no HTTP client sends. */
export function openSocket({ url }: Pick<Backend, 'url'>): Socket {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  return socket
}

/** Sends bytes over a connection of their own, and resolves to what came back until it closed. */
export function sendRaw(
  backend: Pick<Backend, 'url'>,
  ...chunks: (string | Uint8Array)[]
): Promise<string> {
  return new Promise((resolve) => {
    const socket = openSocket(backend)
    const received: Buffer[] = []
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    socket.on('close', () => resolve(Buffer.concat(received).toString('latin1')))
    socket.on('connect', () => {
      for (const chunk of chunks) socket.write(chunk)
      socket.end()
    })
  })
}

/** The request of a WebSocket handshake, as it is written. */
export function upgradeRequest(target: string, headers: Record<string, string> = {}): string {
  const all = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return [`GET ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}
