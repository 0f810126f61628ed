import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/** Paths under these belong to the backend; the rest of a shared server is not its business. */
export const restPaths = ['/rest/v1', '/auth/v1'] as const

type Answer = (request: Request) => Promise<Response>

/** True when `url` (a request target such as `/rest/v1/rpc/x?y`) is for REST or Auth. */
export function isRestUrl(url: string | undefined): boolean {
  return restPaths.some((path) => url === path || url?.startsWith(`${path}/`))
}

/** Answers one Node request with a fetch handler, for browsers on any origin. */
export async function serve(
  req: IncomingMessage,
  res: ServerResponse,
  answer: Answer,
): Promise<void> {
  // A caller that hung up gets no answer; neither an error nor a listener may stay behind.
  res.on('error', () => undefined)
  const origin = `http://${req.headers.host ?? '127.0.0.1'}`
  const response = await respond(req, origin, answer)
  await send(res, response)
}

async function respond(req: IncomingMessage, origin: string, answer: Answer): Promise<Response> {
  if (req.method === 'OPTIONS' && req.headers['access-control-request-method']) {
    return preflight(req)
  }
  try {
    return allowOrigins(await answer(await toRequest(req, origin)))
  } catch (error) {
    const hungUp = req.destroyed && !req.complete
    if (!hungUp) console.error('The embedded backend could not answer', req.method, req.url, error)
    return allowOrigins(Response.json({ message: 'Internal server error' }, { status: 500 }))
  }
}

async function toRequest(req: IncomingMessage, origin: string): Promise<Request> {
  const headers = new Headers()
  for (const [name, value] of Object.entries(req.headers)) {
    for (const each of Array.isArray(value) ? value : [value ?? '']) headers.append(name, each)
  }
  const method = req.method ?? 'GET'
  const chunks: Uint8Array[] = []
  for await (const chunk of req) if (chunk instanceof Uint8Array) chunks.push(chunk)
  const body = method === 'GET' || method === 'HEAD' ? null : new Uint8Array(Buffer.concat(chunks))
  return new Request(new URL(req.url ?? '/', origin), { method, headers, body })
}

async function send(res: ServerResponse, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer())
  res.statusCode = response.status
  for (const [name, value] of response.headers) {
    // Headers joins what must stay apart only for cookies; getSetCookie keeps them separate.
    if (name !== 'set-cookie') res.setHeader(name, value)
  }
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) res.setHeader('set-cookie', cookies)
  res.end(body)
}

/** Like the gateway of a Supabase project, which lets pages of every origin in. */
function preflight(req: IncomingMessage): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      'access-control-allow-headers': req.headers['access-control-request-headers'] ?? '*',
      'access-control-max-age': '600',
    },
  })
}

function allowOrigins(response: Response): Response {
  response.headers.set('access-control-allow-origin', '*')
  return response
}

/** Starts listening and resolves to the address. */
export async function listen(server: Server, port: number, host: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No TCP address')
  return `http://${host}:${address.port}`
}

/** Stops listening and ends every connection, idle or not. */
export async function stop(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
