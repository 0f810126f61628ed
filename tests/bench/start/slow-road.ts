import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to a server on loopback that takes as long as one over the internet. */
export interface SlowRoad {
  url: string
  /** How many bytes went either way so far, headers and frames included. */
  bytes: () => number
  /** Ends every connection, and refuses others until it is mended. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

/**
 * Forwards every byte half a round trip later, both ways. Opening a connection costs a whole round
 * trip too, as TCP's handshake does; TLS and name resolution, which would come on top, do not exist
 * here.
 */
export async function openSlowRoad(target: string, roundTripMs: number): Promise<SlowRoad> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let bytes = 0
  let isCut = false
  const server = createServer((near) => {
    if (isCut) {
      near.destroy()
      return
    }
    const far = connect(Number(port), hostname)
    const opened = performance.now() + roundTripMs
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      // A bare TCP segment is not held back to be sent with the next one.
      from.setNoDelay(true)
      from.on('data', (chunk) => {
        bytes += chunk.length
        const wait = Math.max(0, opened - performance.now()) + roundTripMs / 2
        setTimeout(() => to.writable && to.write(chunk), wait)
      })
      from.on('close', () => {
        sockets.delete(from)
        setTimeout(() => to.destroy(), roundTripMs / 2)
      })
      // Whatever goes wrong ends in a close.
      from.on('error', () => undefined)
    }
  })
  server.listen(0, hostname)
  await once(server, 'listening')
  // It listens on a port.
  const address = server.address() as AddressInfo
  return {
    url: `http://${hostname}:${address.port}`,
    bytes: () => bytes,
    cut() {
      isCut = true
      for (const socket of sockets) socket.destroy()
    },
    mend() {
      isCut = false
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
