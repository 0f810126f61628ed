import { once } from 'node:events'
import { Flow } from '@pgflow/dsl'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend } from '../../playground/backend/index.ts'
import { bootBackend, connect } from '../support/backend.ts'
import { openSocket, sendRaw, upgradeRequest } from './support/raw-http.ts'
import { realtimeUrl, WireClient } from '../support/wire-client.ts'

const Greet = new Flow<{ name: string }>({ slug: 'greet' }).step(
  { slug: 'hello' },
  ({ run }) => `Hello ${run.name}`,
)
const listed = 'http://studio.local:5173'
const maxBodyBytes = 100_000

let backend: Backend
beforeAll(async () => {
  backend = await bootBackend([Greet], { allowedOrigins: [listed], maxBodyBytes })
})
afterAll(() => backend.close())

const local = [
  'http://localhost:5173',
  'https://localhost',
  'http://app.localhost:3000',
  'http://127.0.0.1:8080',
  'http://127.8.9.1',
  'http://[::1]:5173',
]
const foreign = [
  'https://example.org',
  'http://localhost.example.org',
  'http://127.0.0.1.example.org',
  'http://127.0.0.1@example.org',
  'http://0.0.0.0:5173',
  'http://192.168.0.1',
  'file://',
  'null',
  '',
  'localhost',
  'chrome-extension://abc',
]

function call(origin?: string, init: RequestInit = {}): Promise<Response> {
  const headers = { apikey: backend.anonKey, ...(origin !== undefined && { origin }) }
  return fetch(`${backend.url}/rest/v1/rpc/nothing`, { method: 'POST', ...init, headers })
}

describe('a page of another origin', () => {
  it.each([...local, listed])('%s may call, with CORS headers', async (origin) => {
    const response = await call(origin)
    expect(response.status).toBe(404)
    expect(response.headers.get('access-control-allow-origin')).toBe(origin)
    expect(response.headers.get('vary')).toContain('origin')
  })

  it.each(foreign)('%j may neither call nor ask whether it may', async (origin) => {
    const response = await call(origin)
    expect(response.status).toBe(403)
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    const preflight = await fetch(`${backend.url}/rest/v1/rpc/nothing`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(403)
  })

  it.each([...local, listed])('%s may open a socket', async (origin) => {
    const client = new WireClient(realtimeUrl(backend.url, backend.anonKey), {
      headers: { origin },
    })
    await once(client.socket, 'open')
    client.socket.close()
    await client.closed
  })

  it.each(foreign)('%j may open none', async (origin) => {
    const { pathname, search } = new URL(realtimeUrl(backend.url, backend.anonKey))
    const answer = await sendRaw(backend, upgradeRequest(pathname + search, { Origin: origin }))
    expect(answer).toMatch(/^HTTP\/1.1 403 /)
  })

  it('is not requested by programs, which send no origin', async () => {
    expect((await call()).status).toBe(404)
  })
})

describe('the address of a socket', () => {
  const targets = ['//', '///', '//:80', 'http://[::1', '/', '*', '//realtime/v1/websocket', '/%']

  it.each(targets)('%s is not ours, and is closed', async (target) => {
    const answer = await sendRaw(backend, upgradeRequest(target))
    expect(answer).not.toContain('101')
    expect((await call()).status).toBe(404)
  })
})

describe('a body', () => {
  const url = () => `${backend.url}/rest/v1/rpc/nothing`
  const post = (headers: Record<string, string>) =>
    [
      'POST /rest/v1/rpc/nothing HTTP/1.1',
      'Host: localhost',
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      '',
      '',
    ].join('\r\n')

  it('is not read before the key is right', async () => {
    const socket = openSocket(backend)
    socket.write(post({ 'Content-Length': '700000000' }))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1.1 401 /)
    socket.destroy()
  })

  it('whose content-length is too large is not read either', async () => {
    const socket = openSocket(backend)
    socket.write(post({ apikey: backend.anonKey, 'Content-Length': String(maxBodyBytes + 1) }))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1.1 413 /)
    socket.destroy()
  })

  it('that turns out to be too large ends its connection, however much more is sent', async () => {
    const socket = openSocket(backend)
    // Not `once`, which rejects when the connection is reset.
    const isClosed = new Promise((resolve) => socket.once('close', resolve))
    const answered = once(socket, 'data') as Promise<[Buffer]>
    socket.write(post({ apikey: backend.anonKey, 'Transfer-Encoding': 'chunked' }))
    const piece = `${(10_000).toString(16)}\r\n${'x'.repeat(10_000)}\r\n`
    for (let size = 0; size <= 2 * maxBodyBytes; size += 10_000) socket.write(piece)
    const [answer] = await answered
    expect(answer.toString()).toMatch(/^HTTP\/1.1 413 /)
    const pour = () => {
      while (socket.writable && socket.write(piece));
    }
    socket.on('drain', pour)
    pour()
    await isClosed
  })

  it('of exactly the limit is served, over the unmodified client too', async () => {
    const name = 'x'.repeat(maxBodyBytes - 2_000)
    const api = connect(backend).schema('pgflow_client')
    const started = await api.rpc('start_flow_with_states', {
      p_flow_slug: 'greet',
      p_input: { name },
      p_run_id: crypto.randomUUID(),
    })
    expect(started.error).toBeNull()
    const refused = await fetch(url(), {
      method: 'POST',
      headers: { apikey: backend.anonKey },
      body: 'x'.repeat(maxBodyBytes + 1),
    })
    expect(refused.status).toBe(413)
    expect(await refused.json()).toEqual({ message: `A request may have ${maxBodyBytes} bytes` })
  })
})

it('an answer that reflects what no header can hold does not end the process', async () => {
  const target = '/auth/v1/verify?token=x&type=signup&redirect_to=http://localhost/%01'
  const headers = { apikey: backend.anonKey }
  const answer = await fetch(`${backend.url}${target}`, { headers, redirect: 'manual' })
  expect(answer.status).toBeGreaterThanOrEqual(300)
  expect((await call()).status).toBe(404)
})
