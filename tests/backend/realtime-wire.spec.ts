import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBackend, type Backend } from '../../playground/backend/index.ts'
import { realtimeUrl, WireClient, type Frame } from '../support/wire-client.ts'

/** What is on the wire, byte by byte where it matters; see the protocol's own reference. */
describe('realtime on the wire', () => {
  let backend: Backend
  const joinErrorDelayMs = 300

  beforeAll(async () => {
    backend = await createBackend({
      realtime: {
        joinErrorDelayMs,
        handshakeErrorDelayMs: 10,
        maxFrameBytes: 10_000,
        maxChannelsPerSocket: 3,
        replicationPollMs: 10,
      },
    })
  })
  afterAll(() => backend.close())

  const connect = () => WireClient.connect(backend)
  const send = (event: string, topic: string, payload = '{}', isPrivate = false) =>
    backend.db.query('select realtime.send($1::jsonb, $2, $3, $4)', [
      payload,
      event,
      topic,
      isPrivate,
    ])
  const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds

  it('replies to heartbeats', async () => {
    const client = await connect()
    client.send(null, '7', 'phoenix', 'heartbeat', {})
    const expected: Frame = [null, '7', 'phoenix', 'phx_reply', { status: 'ok', response: {} }]
    expect(await client.text(() => true)).toEqual(expected)
  })

  it('replies to a join with ok and nothing else', async () => {
    const client = await connect()
    await client.join('plain', { ref: '6' })
    expect(await client.settled('end')).toEqual([
      {
        text: [
          '6',
          '6',
          'realtime:plain',
          'phx_reply',
          { status: 'ok', response: { postgres_changes: [] } },
        ],
      },
      { text: [null, 'end', 'phoenix', 'phx_reply', { status: 'ok', response: {} }] },
    ])
  })

  it('delivers a message of the database as one binary frame of kind 4', async () => {
    const client = await connect()
    await client.join('binary')
    await send('tick', 'binary', '{"x": 1, "id": "mine"}')
    const frame = await client.binary('tick')
    const [row] = await backend.db.query<{ id: string }>(
      `select id from realtime.messages where topic = 'binary'`,
    )
    expect(frame).toEqual({
      kind: 4,
      topic: 'realtime:binary',
      event: 'tick',
      meta: { id: row?.id },
      encoding: 1,
      payload: { x: 1, id: 'mine' },
    })
  })

  it('confirms replication when a join asks for it, once there is some', async () => {
    const client = await connect()
    backend.realtime.faults.loseReplication()
    await client.join('ready', { broadcast: { replication_ready: true } })
    expect(await client.settled()).toHaveLength(2)
    backend.realtime.faults.restoreReplication()
    expect(await client.text((frame) => frame[3] === 'system')).toEqual([
      '1',
      null,
      'realtime:ready',
      'system',
      {
        extension: 'system',
        status: 'ok',
        message: 'Replication connection established',
        channel: 'ready',
      },
    ])
  })

  it('replaces a channel joined twice, and closes the old one after the reply', async () => {
    const client = await connect()
    await client.join('twice', { ref: '1' })
    await client.join('twice', { ref: '2' })
    const closed = await client.text((frame) => frame[3] === 'phx_close')
    expect(closed).toEqual(['1', '1', 'realtime:twice', 'phx_close', {}])
    await send('once', 'twice')
    await client.binary('once')
    await client.settled()
    expect(events(client)).toEqual(['phx_reply', 'phx_reply', 'phx_close', 'once', 'phx_reply'])
  })

  it('replies to a leave, closes the channel and delivers nothing more', async () => {
    const [client, witness] = await Promise.all([connect(), connect()])
    await Promise.all([client.join('leave', { ref: '3' }), witness.join('leave')])
    client.send('3', '4', 'realtime:leave', 'phx_leave', {})
    expect(await client.text((frame) => frame[1] === '4')).toEqual([
      '3',
      '4',
      'realtime:leave',
      'phx_reply',
      { status: 'ok', response: {} },
    ])
    await send('after', 'leave')
    await witness.binary('after')
    await client.settled()
    expect(events(client)).toEqual(['phx_reply', 'phx_reply', 'phx_close', 'phx_reply'])
  })

  it('replies for topics that were never joined', async () => {
    const client = await connect()
    client.send('1', '1', 'realtime:nowhere', 'phx_leave', {})
    client.send('1', '2', 'realtime:nowhere', 'broadcast', { event: 'x', payload: {} })
    client.send('3', '3', 'phoenix:nowhere', 'phx_join', {})
    const replies = await Promise.all(
      ['1', '2', '3'].map(async (ref) => (await client.text((frame) => frame[1] === ref))[4]),
    )
    expect(replies).toEqual([
      { status: 'ok', response: {} },
      { status: 'error', response: { reason: 'unmatched topic' } },
      { status: 'error', response: { reason: 'unmatched topic' } },
    ])
  })

  it('keeps the socket when a frame makes no sense', async () => {
    const client = await connect()
    for (const nonsense of ['', '{', '{}', '[]', '[1,2,3,4,5]', 'null']) {
      client.socket.send(nonsense)
    }
    client.socket.send(Buffer.from([3, 255, 255]))
    client.send('1', '1', 'realtime:odd', 'phx_join', { config: 'none' })
    expect((await client.text(() => true))[4]).toMatchObject({ status: 'ok' })
  })

  it('closes with 1009 on a frame that is too large', async () => {
    const client = await connect()
    client.send('1', '1', 'realtime:large', 'phx_join', { padding: 'x'.repeat(10_000) })
    expect(await client.closed).toBe(1009)
  })

  it('closes with 1000 a socket that sends nothing', async () => {
    const idle = await createBackend({
      database: { level: 'pgflow' },
      realtime: { idleTimeoutMs: 10 },
    })
    try {
      const client = await WireClient.connect(idle)
      expect(await client.closed).toBe(1000)
    } finally {
      await idle.close()
    }
  })

  it('does nothing else for a socket while one of its joins is being refused', async () => {
    const [client, witness] = await Promise.all([connect(), connect()])
    await Promise.all([client.join('busy', { ref: '1' }), witness.join('busy')])
    client.send('2', '2', 'realtime:', 'phx_join', {})
    await client.arrived()
    await send('queued', 'busy')
    await witness.binary('queued')
    client.send(null, 'beat', 'phoenix', 'heartbeat', {})
    await client.text((frame) => frame[1] === 'beat')
    await client.binary('queued')
    expect(events(client).slice(0, 2)).toEqual(['phx_reply', 'phx_reply'])
    expect(client.received[1]).toEqual({
      text: [
        '2',
        '2',
        'realtime:',
        'phx_reply',
        {
          status: 'error',
          response: { reason: 'TopicNameRequired: You must provide a topic name' },
        },
      ],
    })
  })

  it('refuses more channels than a socket may have', async () => {
    const client = await connect()
    for (const ref of ['1', '2', '3']) await client.join(`many:${ref}`, { ref })
    expect((await client.join('many:4', { ref: '4' }))[4]).toEqual({
      status: 'error',
      response: { reason: 'ChannelRateLimitReached: Too many channels' },
    })
  })

  it.each([
    [false, 'Replay is not allowed for public channels'],
    [true, 'Realtime was unable to replay messages'],
  ])('refuses replay, which it has no history for (private: %s)', async (isPrivate, reason) => {
    const client = await connect()
    const config = { private: isPrivate, broadcast: { replay: { since: 1 } } }
    expect((await client.join('replay', config))[4]).toEqual({
      status: 'error',
      response: { reason: `UnableToReplayMessages: ${reason}` },
    })
  })

  it.each([
    ['no JWT', () => 'nonsense', 'MalformedJWT: The token provided is not a valid JWT'],
    [
      'a token of another secret',
      () => 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiIsImV4cCI6OTk5OTk5OTk5OX0.c2ln',
      'JwtSignatureError: Failed to validate JWT signature',
    ],
    [
      'an expired token',
      () => backend.keys.sign({ role: 'anon', exp: inSeconds(-100) }),
      /^InvalidJWTToken: Token has expired 10\d seconds ago$/,
    ],
    [
      'a token without a role',
      async () => {
        const { SignJWT } = await import('jose')
        const key = new TextEncoder().encode(backend.keys.secret)
        return new SignJWT({ exp: inSeconds(100) }).setProtectedHeader({ alg: 'HS256' }).sign(key)
      },
      'InvalidJWTToken: Fields `role` and `exp` are required in JWT',
    ],
  ])('refuses a join with %s', async (_name, token, reason) => {
    const client = await connect()
    const [, , , , reply] = await client.join('token', { token: await token() })
    const { status, response } = reply as { status: string; response: { reason: string } }
    expect(status).toBe('error')
    expect(response.reason).toMatch(reason)
  })

  it('ends a channel whose token expires, and sends the client the reason', async () => {
    const client = await connect()
    const token = await backend.keys.sign({ role: 'anon', exp: inSeconds(1) })
    await client.join('expiry', { ref: '5', token })
    const system = await client.text((frame) => frame[3] === 'system')
    expect(system[4]).toEqual({
      extension: 'system',
      status: 'error',
      message: expect.stringMatching(/^Token has expired \d+ seconds ago$/) as unknown,
      channel: 'expiry',
    })
    const closed = await client.text((frame) => frame[3] === 'phx_close')
    expect(closed).toEqual(['5', '5', 'realtime:expiry', 'phx_close', {}])
  })

  it('takes a newer token without an error, and ends the channel for a bad one', async () => {
    const client = await connect()
    await client.join('renew', {
      token: await backend.keys.sign({ role: 'anon', exp: inSeconds(60) }),
    })
    const push = (token: string | null) =>
      client.send('1', '9', 'realtime:renew', 'access_token', { access_token: token })
    push(await backend.keys.sign({ role: 'anon', exp: inSeconds(120) }))
    push(null)
    push('sb_publishable_key')
    expect(await client.settled()).toHaveLength(2)
    push('nonsense')
    const system = await client.text((frame) => frame[3] === 'system')
    expect(system[4]).toMatchObject({ message: 'The token provided is not a valid JWT' })
    await client.text((frame) => frame[3] === 'phx_close')
  })

  it.each([
    ['no key', '', '2.0.0', 401],
    ['a key that is not one', 'nonsense', '2.0.0', 401],
    ['another protocol version', undefined, '3.0.0', 403],
  ])('refuses a connection with %s', async (_name, key, vsn, status) => {
    const client = new WireClient(realtimeUrl(backend.url, key ?? backend.anonKey, vsn))
    const [error] = (await once(client.socket, 'error')) as [Error]
    expect(error.message).toBe(`Unexpected server response: ${status}`)
  })

  it('prefers the x-api-key header', async () => {
    const headers = { 'x-api-key': backend.anonKey }
    const client = new WireClient(realtimeUrl(backend.url, 'nonsense'), { headers })
    await once(client.socket, 'open')
    expect((await client.join('header'))[4]).toMatchObject({ status: 'ok' })
  })
})

/** The events of everything received, in order. */
function events(client: WireClient): string[] {
  return client.received.map((item) => ('text' in item ? item.text[3] : item.binary.event))
}
