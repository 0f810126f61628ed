import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Flow } from '@pgflow/dsl'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createServer, type ViteDevServer } from 'vite'
import { WebSocket } from 'ws'
import { embeddedBackend } from '../../playground/backend/vite-plugin.ts'
import { connect } from '../support/backend.ts'
import { Listener } from '../support/listener.ts'
import { openSocket, sendRaw, upgradeRequest } from './support/raw-http.ts'

/** The backend inside Vite's own dev server, for a page that knows nothing but its origin. */
describe('the embedded backend in Vite', () => {
  let root: string
  let server: ViteDevServer | undefined

  const flow = new Flow<{ n: number }>({ slug: 'vite_flow' }).step(
    { slug: 'twice' },
    ({ run }) => run.n * 2,
  )

  const listed = 'http://studio.local:5173'

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'pinia-pgflow-'))
    await writeFile(join(root, 'index.html'), '<script type="module" src="/main.js"></script>')
    await writeFile(join(root, 'main.js'), 'export const env = import.meta.env')
  })
  afterEach(async () => {
    await server?.close()
    server = undefined
    await rm(root, { recursive: true, force: true })
  })

  async function serve(): Promise<{ url: string; logged: string[] }> {
    const logged: string[] = []
    server = await createServer({
      root,
      configFile: false,
      logLevel: 'info',
      customLogger: logger(logged),
      server: { host: '127.0.0.1', port: 0 },
      plugins: [embeddedBackend({ flows: [flow], allowedOrigins: [listed] })],
    })
    await server.listen()
    const [url = ''] = server.resolvedUrls?.local ?? []
    return { url: url.replace(/\/$/, ''), logged }
  }

  /** What a page of this server sees of its environment. */
  async function pageEnv(url: string): Promise<Record<string, unknown>> {
    const module = await (await fetch(`${url}/main.js`)).text()
    const [, json = '{}'] = /import\.meta\.env = (\{.*?\});/.exec(module) ?? []
    return JSON.parse(json) as Record<string, unknown>
  }

  it('runs a flow that the page starts at its own origin, and the page receives its events', async () => {
    const { url, logged } = await serve()
    const anonKey = String((await pageEnv(url)).VITE_SUPABASE_ANON_KEY)
    const client = connect({ url, anonKey })
    const id = crypto.randomUUID()
    const listener = new Listener(client.channel(`pgflow:run:${id}`))
    await listener.status('SUBSCRIBED')
    const { error } = await client.schema('pgflow_client').rpc('start_flow_with_states', {
      p_flow_slug: 'vite_flow',
      p_input: { n: 21 },
      p_run_id: id,
    })
    expect(error).toBeNull()
    const { payload } = await listener.event('run:completed')
    expect(payload.output).toEqual({ twice: 42 })
    expect(logged.filter((line) => line.includes('for development only'))).toHaveLength(1)
    await client.removeAllChannels()
  })

  it('leaves the page and its hot updates to Vite', async () => {
    const { url } = await serve()
    expect(await (await fetch(url)).text()).toContain('/@vite/client')
    const script = await (await fetch(`${url}/@vite/client`)).text()
    const [, token = ''] = /wsToken = "([^"]+)"/.exec(script) ?? []
    const socket = new WebSocket(`${url.replace('http', 'ws')}/?token=${token}`, 'vite-hmr')
    const [message] = (await once(socket, 'message')) as [Buffer]
    expect(JSON.parse(message.toString())).toEqual({ type: 'connected' })
    socket.terminate()
  })

  it('lets pages of this machine and of listed origins in, and no other', async () => {
    const { url } = await serve()
    const anonKey = String((await pageEnv(url)).VITE_SUPABASE_ANON_KEY)
    const allowed = async (origin: string) => {
      const target = `${url}/rest/v1/rpc/nothing`
      const preflight = await fetch(target, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      })
      const response = await fetch(target, { method: 'POST', headers: { origin, apikey: anonKey } })
      const told = [preflight, response].map(({ headers }) =>
        headers.get('access-control-allow-origin'),
      )
      return { told, status: response.status }
    }
    for (const origin of ['http://localhost:4000', listed]) {
      expect(await allowed(origin)).toEqual({ told: [origin, origin], status: 404 })
    }
    for (const origin of ['https://example.org', 'null']) {
      expect(await allowed(origin)).toEqual({ told: [null, null], status: 403 })
    }
    const target = `/realtime/v1/websocket?apikey=${anonKey}&vsn=2.0.0`
    const answer = await sendRaw({ url }, upgradeRequest(target, { Origin: 'null' }))
    expect(answer).toMatch(/^HTTP\/1.1 403 /)
  })

  it('has the switches of its faults at the origin of the page', async () => {
    const { url } = await serve()
    const anonKey = String((await pageEnv(url)).VITE_SUPABASE_ANON_KEY)
    const faults = `${url}/embedded/v1/faults`
    const headers = { apikey: anonKey }
    const body = JSON.stringify({ offline: true })
    expect((await fetch(faults, { method: 'PATCH', headers, body })).status).toBe(200)
    await expect(fetch(`${url}/rest/v1/rpc/any`, { method: 'POST', headers })).rejects.toThrow()
    expect((await fetch(url)).status).toBe(200)
    expect((await fetch(`${faults}/reset`, { method: 'POST', headers })).status).toBe(200)
    const response = await fetch(`${url}/rest/v1/rpc/any`, { method: 'POST', headers })
    expect(response.status).toBe(404)
    expect((await fetch(faults)).status).toBe(401)
  })

  it('continues after a request for an invalid address', async () => {
    const { url } = await serve()
    for (const target of ['//', '///', '//:80', 'http://[::1', '*', '*:[', 'a://[']) {
      const socket = openSocket({ url })
      socket.write(upgradeRequest(target, { Origin: 'https://example.org' }))
      await sendRaw({ url }, `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      expect((await fetch(url)).status, target).toBe(200)
      socket.destroy()
    }
  })

  it('does nothing when a real project is configured', async () => {
    await writeFile(join(root, '.env'), 'VITE_SUPABASE_URL=https://example.supabase.co\n')
    const { url, logged } = await serve()
    expect(await pageEnv(url)).not.toHaveProperty('VITE_SUPABASE_ANON_KEY')
    const response = await fetch(`${url}/rest/v1/rpc/anything`, { method: 'POST' })
    expect(response.status).toBe(404)
    expect(await (await fetch(`${url}/embedded/v1/faults`)).text()).not.toContain('offline')
    expect(logged.join('\n')).not.toContain('Supabase')
  })

  it('closes with the server', async () => {
    const { url } = await serve()
    const anonKey = String((await pageEnv(url)).VITE_SUPABASE_ANON_KEY)
    const socket = new WebSocket(
      `${url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${anonKey}&vsn=2.0.0`,
    )
    await once(socket, 'open')
    const closed = once(socket, 'close')
    await server?.close()
    await closed
    await expect(fetch(`${url}/rest/v1/`)).rejects.toThrow('fetch failed')
  })
})

function logger(lines: string[]) {
  const keep = (message: string) => void lines.push(message)
  return {
    hasWarned: false,
    info: keep,
    warn: keep,
    warnOnce: keep,
    error: keep,
    clearScreen: () => undefined,
    hasErrorLogged: () => false,
  }
}
