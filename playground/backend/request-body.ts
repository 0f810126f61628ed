import type { IncomingMessage } from 'node:http'

/** How long a caller that goes on sending after its answer is listened to, in ms. */
const lingerMs = 2_000

/** Reads a body; undefined when it is larger than allowed, of which no more is kept. */
export async function readBody(
  req: IncomingMessage,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) return undefined
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of read(req)) {
    size += chunk.length
    if (size > maxBytes) return undefined
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

/** The chunks of a body. Leaving the loop early leaves the connection for the answer. */
function read(req: IncomingMessage): AsyncIterable<Buffer> {
  return req.iterator({ destroyOnReturn: false })
}

/**
 * Lets go of a body that nobody reads. The caller reads its answer only when it has sent enough; a
 * large body is thrown away for a moment, and then the connection is closed.
 */
export function discardBody(req: IncomingMessage): void {
  if (req.complete) return
  req.resume()
  const timer = setTimeout(() => req.socket.destroy(), lingerMs)
  timer.unref()
  req.once('close', () => clearTimeout(timer))
}
