import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { embeddedPath } from './faults/state.ts'
import { isAllowedOrigin } from './origins.ts'
import { discardBody, readBody } from './request-body.ts'

/** Paths under these belong to the backend; the rest of a shared server is not its business. */
const restPaths = ['/rest/v1', '/auth/v1']

/** What answers requests. */
export interface RequestHandler {
  /** Refuses a request by its headers and address, before its body is read. */
  check(headers: Headers, url: URL): Promise<Response | undefined>
  /** Undefined is no answer: the connection is cut. */
  fetch(request: Request): Promise<Response | undefined>
}

/** What requests are let in. */
export interface RequestLimits {
  /** Origins of pages besides those of this machine. */
  allowedOrigins: readonly string[]
  maxBodyBytes: number
}

/** True when `url` (a request target such as `/rest/v1/rpc/x?y`) is for REST or Auth. */
export function isRestUrl(url: string | undefined): boolean {
  return restPaths.some((path) => isUnder(path, url))
}

/** True when it is for what only the embedded backend has. */
export function isEmbeddedUrl(url: string | undefined): boolean {
  return isUnder(embeddedPath, url)
}

function isUnder(path: string, url: string | undefined): boolean {
  return url === path || url?.startsWith(`${path}/`) === true
}

/** Answers one Node request with a fetch handler, for pages of the allowed origins. */
export async function serve(
  req: IncomingMessage,
  res: ServerResponse,
  handler: RequestHandler,
  limits: RequestLimits,
): Promise<void> {
  // A caller that hung up gets no answer; neither an error nor a listener may stay behind.
  res.on('error', () => undefined)
  req.on('error', () => undefined)
  const response = await respond(req, handler, limits)
  if (response) await send(res, response).catch(() => res.destroy())
  else res.destroy()
  discardBody(req)
}

async function respond(
  req: IncomingMessage,
  handler: RequestHandler,
  limits: RequestLimits,
): Promise<Response | undefined> {
  const { origin } = req.headers
  if (!isAllowedOrigin(origin, limits.allowedOrigins)) return refuse(403, 'Foreign origin')
  const allow = (response: Response) => allowOrigin(response, origin)
  if (req.method === 'OPTIONS' && req.headers['access-control-request-method']) {
    return allow(preflight(req))
  }
  try {
    const response = await answer(req, handler, limits.maxBodyBytes)
    return response && allow(response)
  } catch (error) {
    const hungUp = req.errored !== null || (req.destroyed && !req.complete)
    if (!hungUp) console.error('The embedded backend could not answer', req.method, req.url, error)
    return allow(refuse(500, 'Internal server error'))
  }
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

async function answer(
  req: IncomingMessage,
  handler: RequestHandler,
  maxBodyBytes: number,
): Promise<Response | undefined> {
  const { method = 'GET', url: target = '/' } = req
  const base = `http://${req.headers.host ?? 'localhost'}`
  if (!URL.canParse(target, base) || !isDecodable(target)) return refuse(400, 'Bad request')
  if (!methods.has(method)) return refuse(405, 'Method not allowed')
  const url = new URL(target, base)
  const headers = readHeaders(req)
  const refused = await handler.check(headers, url)
  if (refused) return refused
  const body = await readBody(req, maxBodyBytes)
  if (!body) return refuse(413, `A request may have ${maxBodyBytes} bytes`)
  const hasBody = method !== 'GET' && method !== 'HEAD'
  return handler.fetch(new Request(url, { method, headers, body: hasBody ? body : null }))
}

/** Whether every percent sign of an address stands for a byte of UTF-8. */
function isDecodable(target: string): boolean {
  try {
    decodeURIComponent(target)
    return true
  } catch {
    return false
  }
}

function readHeaders(req: IncomingMessage): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(req.headers)) {
    for (const each of Array.isArray(value) ? value : [value ?? '']) headers.append(name, each)
  }
  return headers
}

async function send(res: ServerResponse, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer())
  res.statusCode = response.status
  for (const [name, value] of response.headers) {
    // Headers joins what must stay apart only for cookies; getSetCookie keeps them separate.
    if (name !== 'set-cookie') setHeader(res, name, value)
  }
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) res.setHeader('set-cookie', cookies)
  res.end(body)
}

/** Leaves out what Node does not send, such as a control character that the caller had reflected. */
function setHeader(res: ServerResponse, name: string, value: string): void {
  try {
    res.setHeader(name, value)
  } catch {
    res.removeHeader(name)
  }
}

function refuse(status: number, message: string): Response {
  return Response.json({ message }, { status })
}

function preflight(req: IncomingMessage): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': [...methods].join(', '),
      'access-control-allow-headers': req.headers['access-control-request-headers'] ?? '*',
      'access-control-max-age': '600',
    },
  })
}

function allowOrigin(response: Response, origin: string | undefined): Response {
  response.headers.set('access-control-allow-origin', origin ?? '*')
  response.headers.append('vary', 'origin')
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
