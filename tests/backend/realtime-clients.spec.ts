import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createBackend, type Backend } from '../../playground/backend/index.ts'
import { connect } from '../support/backend.ts'
import { Listener } from '../support/listener.ts'
import { realtimeUrl, WireClient, type Frame } from '../support/wire-client.ts'

/** What clients send, and what becomes of it: to each other, late, and in another version. */
describe('what clients send over realtime', () => {
  let backend: Backend
  beforeAll(async () => {
    backend = await createBackend({
      realtime: { joinErrorDelayMs: 10, handshakeErrorDelayMs: 10 },
    })
  })
  afterAll(() => backend.close())

  const send = (event: string, topic: string) =>
    backend.db.query(`select realtime.send('{"x": 1}', $1, $2, false)`, [event, topic])

  describe('a broadcast in a text frame', () => {
    it.each<[string, Record<string, unknown>]>([
      ['with fields of its own', { type: 'broadcast', event: 'hi', payload: { n: 1 }, more: [2] }],
      ['without an event', { type: 'broadcast', note: 'x' }],
      ['without anything', {}],
    ])('goes out as it came, before the answer (%s)', async (_name, payload) => {
      const [speaker, hearer] = [
        await WireClient.connect(backend),
        await WireClient.connect(backend),
      ]
      await speaker.join('chat', { broadcast: { self: true, ack: true } })
      await hearer.join('chat')
      speaker.send('1', '9', 'realtime:chat', 'broadcast', payload)
      await speaker.text((frame) => frame[1] === '9')
      const sent: Frame = [null, null, 'realtime:chat', 'broadcast', payload]
      const answer = ['1', '9', 'realtime:chat', 'phx_reply', { status: 'ok', response: {} }]
      expect((await speaker.settled()).slice(1, 3)).toEqual([{ text: sent }, { text: answer }])
      expect((await hearer.settled())[1]).toEqual({ text: sent })
    })

    it('sends nothing to its sender unless that was requested', async () => {
      const speaker = await WireClient.connect(backend)
      await speaker.join('alone')
      speaker.send('1', '9', 'realtime:alone', 'broadcast', { event: 'e', payload: {} })
      expect(await speaker.settled()).toHaveLength(2)
    })
  })

  describe('a message of an earlier join of the topic', () => {
    const stale = async (topic: string) => {
      const client = await WireClient.connect(backend)
      const broadcast = { self: true, ack: true }
      await client.join(topic, { ref: '1', broadcast })
      await client.join(topic, { ref: '2', broadcast })
      await client.text((frame) => frame[3] === 'phx_close')
      return client
    }

    it.each<[string, Record<string, unknown>]>([
      ['broadcast', { event: 'late', payload: {} }],
      ['access_token', { access_token: 'nonsense' }],
      ['phx_leave', {}],
    ])('gets no reply and changes nothing: %s', async (event, payload) => {
      const client = await stale(`stale:${event}`)
      const before = client.received.length
      client.send('1', '9', `realtime:stale:${event}`, event, payload)
      expect(await client.settled()).toHaveLength(before + 1)
      await send('heard', `stale:${event}`)
      await client.binary('heard')
    })

    it('is taken where it names no join', async () => {
      const client = await stale('nameless')
      client.send(null, '9', 'realtime:nameless', 'phx_leave', {})
      expect((await client.text((frame) => frame[1] === '9'))[4]).toMatchObject({ status: 'ok' })
    })
  })

  it('names no join in its answer for a topic that is not joined', async () => {
    const client = await WireClient.connect(backend)
    client.send('1', '2', 'realtime:nowhere', 'broadcast', { event: 'x', payload: {} })
    const reply = { status: 'error', response: { reason: 'unmatched topic' } }
    expect(await client.text(() => true)).toEqual([
      null,
      '2',
      'realtime:nowhere',
      'phx_reply',
      reply,
    ])
  })

  it('ends a channel for a new token of another secret, in the words of the server', async () => {
    const client = await WireClient.connect(backend)
    await client.join('forged')
    const forged = 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiIsImV4cCI6OTk5OTk5OTk5OX0.c2ln'
    client.send('1', '9', 'realtime:forged', 'access_token', { access_token: forged })
    const system = await client.text((frame) => frame[3] === 'system')
    expect(system[4]).toMatchObject({ status: 'error', message: ':signature_error' })
    await client.text((frame) => frame[3] === 'phx_close')
  })

  describe('the version of the protocol', () => {
    it.each(['1.0.0', '1.0.7', '2.0.0', '2.0.1', null])('may be %s', async (vsn) => {
      const socket = new WebSocket(urlOf(vsn))
      await once(socket, 'open')
      socket.close()
    })

    it.each(['0.9.0', '1.1.0', '2.1.0', '3.0.0', '2.0', '2', '', 'x'])(
      'may not be "%s"',
      async (vsn) => {
        const [error] = (await once(new WebSocket(urlOf(vsn)), 'error')) as [Error]
        expect(error.message).toBe('Unexpected server response: 403')
      },
    )

    it.each([null, '1.0.0'])('1.0.0 has objects, and no binary frames (vsn: %s)', async (vsn) => {
      const socket = new WebSocket(urlOf(vsn))
      await once(socket, 'open')
      const frames: unknown[] = []
      const next = async () => {
        const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean]
        expect(isBinary).toBe(false)
        frames.push(JSON.parse(data.toString('utf8')))
      }
      for (const nonsense of ['[null,"1","phoenix","heartbeat",{}]', '{', '{"topic":"phoenix"}']) {
        socket.send(nonsense)
      }
      socket.send(Buffer.from([3, 255, 255]))
      const topic = 'realtime:first'
      socket.send(JSON.stringify({ topic, event: 'phx_join', payload: { config: {} }, ref: '1' }))
      await next()
      await send('tick', 'first')
      await next()
      const [row] = await backend.db.query(
        `select id, payload from realtime.messages where topic = 'first' order by inserted_at desc`,
      )
      const payload = { type: 'broadcast', event: 'tick', payload: row?.payload }
      expect(frames).toEqual([
        {
          topic,
          event: 'phx_reply',
          payload: { status: 'ok', response: { postgres_changes: [] } },
          ref: '1',
        },
        { topic, event: 'broadcast', payload: { ...payload, meta: { id: row?.id } }, ref: null },
      ])
      socket.close()
    })

    it('1.0.0 cannot carry bytes of a client of 2.0.0, but its texts', async () => {
      const old = connect(backend, fetch, { vsn: '1.0.0' })
      const recent = connect(backend)
      const hearing = new Listener(old.channel('both'))
      const speaking = new Listener(recent.channel('both'))
      await Promise.all([hearing.status('SUBSCRIBED'), speaking.status('SUBSCRIBED')])
      const { channel } = speaking
      const bytes = new Uint8Array([1]).buffer
      await channel.send({ type: 'broadcast', event: 'bytes', payload: bytes })
      await channel.send({ type: 'broadcast', event: 'text', payload: { n: 1 } })
      expect((await hearing.event('text')).payload).toEqual({ n: 1 })
      expect(hearing.events()).toEqual(['text'])
      await hearing.channel.send({ type: 'broadcast', event: 'back', payload: { n: 2 } })
      expect((await speaking.event('back')).payload).toEqual({ n: 2 })
      await Promise.all([old.removeAllChannels(), recent.removeAllChannels()])
    })

    function urlOf(vsn: string | null): string {
      const url = new URL(realtimeUrl(backend.url, backend.anonKey))
      if (vsn === null) url.searchParams.delete('vsn')
      else url.searchParams.set('vsn', vsn)
      return url.href
    }
  })
})
