import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to a server on loopback that takes as long as one over the internet. */
export interface SlowRoad {
  url: string
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
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    const opened = performance.now() + roundTripMs
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      // A bare TCP segment is not held back to be sent with the next one.
      from.setNoDelay(true)
      from.on('data', (bytes) => {
        const wait = Math.max(0, opened - performance.now()) + roundTripMs / 2
        setTimeout(() => to.writable && to.write(bytes), wait)
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
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
