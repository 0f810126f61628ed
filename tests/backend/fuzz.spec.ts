import { once } from 'node:events'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Backend } from '../../playground/backend/index.ts'
import { bootBackend, until } from '../support/backend.ts'
import { Greet, servesARun } from './support/greet.ts'
import { openSocket, sendRaw, upgradeRequest } from './support/raw-http.ts'
import { WireClient } from '../support/wire-client.ts'

let backend: Backend
beforeAll(async () => {
  backend = await bootBackend([Greet], {
    realtime: { joinErrorDelayMs: 0, handshakeErrorDelayMs: 0, maxFrameBytes: 100_000 },
  })
})
afterAll(() => backend.close())

/** Connections of this process, which has both ends of each. */
function connections(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
}

/** Text for one line of a request: anything but its end. */
const line = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll(/[\r\n]/g, '')),
  fc.constantFrom('//', '///', '//:80', 'http://[::1', '*', '/rest/v1/', '/%', '/rest/v1/%zz?%'),
)
const target = fc.oneof(
  line,
  line.map((rest) => `/rest/v1/${rest}`),
  line.map((rest) => `/auth/v1/${rest}`),
  line.map((rest) => `/realtime/v1/websocket?${rest}`),
)
const method = fc.constantFrom('GET', 'POST', 'PUT', 'TRACE', 'CONNECT', 'OPTIONS', 'FOO', '')
const header = fc.tuple(
  fc.oneof(
    line,
    fc.constantFrom(
      ...['Host', 'Origin', 'apikey', 'Authorization', 'Content-Type', 'Content-Length'],
      ...['Transfer-Encoding', 'Content-Encoding', 'Expect', 'Content-Profile', '__proto__'],
      ...['Accept-Profile', 'Prefer', 'Range', 'Accept', 'X-Api-Key'],
    ),
  ),
  fc.oneof(
    line,
    fc.constantFrom(
      'chunked',
      'gzip',
      '[::1',
      '100-continue',
      '-1',
      '1e9',
      'null',
      'application/json',
    ),
  ),
)
const body = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.constantFrom('{', '['.repeat(20_000), `{"__proto__":1}`, '5\r\nab', '0\r\n\r\n', '\0'),
)

it('whatever is sent as a request, the process continues and serves', async () => {
  const request = fc.record({
    method,
    target,
    headers: fc.array(header, { maxLength: 6 }),
    hasKey: fc.boolean(),
    body,
    version: fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/9', ''),
  })
  await fc.assert(
    fc.asyncProperty(request, async (sent) => {
      const own = [
        ['Host', 'localhost'],
        ...(sent.hasKey ? [['apikey', backend.anonKey]] : []),
        ['Content-Length', String(Buffer.byteLength(sent.body, 'latin1'))],
      ]
      const lines = [...own, ...sent.headers].map(([name, value]) => `${name}: ${value}`)
      const head = [`${sent.method} ${sent.target} ${sent.version}`, ...lines, '', ''].join('\r\n')
      await sendRaw(backend, Buffer.from(head, 'latin1'), Buffer.from(sent.body, 'latin1'))
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 250) },
  )
  await servesARun(backend)
})

it('whatever is sent as a handshake, the process continues and serves', async () => {
  await fc.assert(
    fc.asyncProperty(target, fc.array(header, { maxLength: 4 }), async (path, headers) => {
      const [first] = path.split(/[\s]/)
      const text = upgradeRequest(first === '' ? '/' : (first ?? '/'), Object.fromEntries(headers))
      await sendRaw(backend, Buffer.from(text, 'latin1'))
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 150) },
  )
  await servesARun(backend)
})

const word = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'phoenix', 'realtime:a', 'realtime:', 'a\0b', ''),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
const config = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      private: fc.oneof(fc.boolean(), fc.jsonValue()),
      broadcast: fc.oneof(
        fc.jsonValue(),
        fc.record({ self: fc.boolean(), ack: fc.boolean(), replication_ready: fc.jsonValue() }),
      ),
      presence: fc.jsonValue(),
      postgres_changes: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ),
)
const frame = fc.oneof(
  fc
    .tuple(
      fc.oneof(fc.constant('1'), fc.constant(null), fc.jsonValue(), word),
      fc.oneof(fc.constant('1'), fc.constant(null), fc.jsonValue(), fc.constant('9'.repeat(5_000))),
      fc.oneof(
        fc.constant('realtime:a'),
        word.map((topic) => `realtime:${topic}`),
        word,
      ),
      fc.oneof(
        fc.constantFrom(
          'phx_join',
          'phx_leave',
          'heartbeat',
          'access_token',
          'broadcast',
          'presence',
        ),
        word,
      ),
      fc.oneof(
        fc.jsonValue(),
        config.map((value) => ({ config: value })),
        fc.record({ config, access_token: fc.oneof(word, fc.jsonValue()) }),
        fc.record({ type: word, event: word, payload: fc.jsonValue() }),
      ),
    )
    .map((parts) => JSON.stringify(parts)),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.constantFrom(
    `["1","1","realtime:a","broadcast",{"event":"e","payload":${'['.repeat(9_000)}${']'.repeat(9_000)}}]`,
    '['.repeat(50_000),
    '["1","1","realtime:a","phx_join",{"__proto__":{"config":{"private":true}}}]',
  ),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.uint8Array({ maxLength: 60 }),
  // The head of a binary broadcast, with lengths that do not fit.
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Uint8Array.from([3, ...bytes])),
)

it('whatever is sent over a socket, the process continues and serves', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 12 }), async (frames) => {
      const client = await WireClient.connect(backend)
      const broken = once(client.socket, 'close')
      for (const each of frames) client.socket.send(each)
      // Answered, or closed by the server.
      await Promise.race([client.arrived(), broken])
      client.socket.terminate()
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 150) },
  )
  await servesARun(backend)
})

it('frames that are too large or no frames close their socket, and no other', async () => {
  const good = await WireClient.connect(backend)
  const large = await WireClient.connect(backend)
  large.socket.send('x'.repeat(200_000))
  expect(await large.closed).toBe(1009)
  const socket = openSocket(backend)
  const isClosed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(upgradeRequest(`/realtime/v1/websocket?apikey=${backend.anonKey}&vsn=2.0.0`))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(answer.toString()).toMatch(/^HTTP\/1.1 101 /)
  socket.write(Uint8Array.from({ length: 500 }, (_, index) => (index * 37) % 256))
  await isClosed
  await good.settled()
  good.socket.close()
  await servesARun(backend)
})

it('every connection is released', async () => {
  const atFirst = connections()
  const requests = fc.array(fc.tuple(method, target, body), { minLength: 20, maxLength: 20 })
  for (const [verb, path, content] of fc.sample(requests, 1).flat()) {
    const head = `${verb} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n`
    await sendRaw(backend, Buffer.from(head, 'latin1'), Buffer.from(content, 'latin1'))
  }
  const clients = await Promise.all(Array.from({ length: 20 }, () => WireClient.connect(backend)))
  for (const client of clients) client.socket.send('[')
  await Promise.all(clients.map((client) => client.arrived()))
  expect(connections()).toBeGreaterThanOrEqual(atFirst + 40)
  for (const client of clients) client.socket.terminate()
  await until(() => connections() <= atFirst)
})
