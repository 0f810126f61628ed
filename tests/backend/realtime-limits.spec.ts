import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBackend, type Backend } from '../../playground/backend/index.ts'
import { connect } from '../support/backend.ts'
import { Listener } from '../support/listener.ts'
import { WireClient } from '../support/wire-client.ts'

/** What the server does not say: messages over a limit, and those of a lost connection. */
describe('messages that realtime loses without an error', () => {
  let backend: Backend
  beforeAll(async () => {
    backend = await createBackend({ realtime: { joinErrorDelayMs: 10, replicationPollMs: 10 } })
  })
  afterAll(() => backend.close())

  const send = (event: string, topic: string, times = 1) =>
    backend.db.query(`select realtime.send('{}', $1, $2, false) from generate_series(1, $3::int)`, [
      event,
      topic,
      times,
    ])
  let bursts = 0
  /** Sends many, and waits until they have arrived and are counted: each twice. */
  const burst = async (client: WireClient, topic: string, times: number) => {
    const last = `last of burst ${(bursts += 1)}`
    if (times > 1) await send('many', topic, times - 1)
    await send(last, topic)
    await client.binary(last)
  }
  const heardBy = (client: WireClient) =>
    client.received.flatMap((item) => ('binary' in item ? item.binary.event : []))
  const saidTo = (client: WireClient) =>
    client.received.flatMap((item) => ('text' in item ? item.text[3] : []))
  const joined = async (topic: string, options = {}) => {
    const client = await WireClient.connect(backend)
    await client.join(topic, options)
    return client
  }

  it('delivers a payload with the padding of the limit, and none that is larger', async () => {
    const client = await joined('large')
    for (const bytes of [3_000_490, 3_000_494, 3_000_495, 3_000_600]) {
      await backend.db.query(
        `insert into realtime.messages (topic, extension, event, payload, private)
         values ('large', 'broadcast', $1::text, to_jsonb(repeat('x', $1::int - 2)), false)`,
        [bytes],
      )
    }
    await send('end', 'large')
    await client.binary('end')
    expect(heardBy(client)).toEqual(['3000490', '3000494', 'end'])
  })

  describe('too many a second', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['performance'] })
      backend.realtime.faults.limitEvents(100)
    })
    afterEach(() => {
      backend.realtime.faults.limitEvents(null)
      vi.useRealTimers()
    })
    const seconds = (count: number) => vi.advanceTimersByTime(count * 1_000)

    it('loses those of all topics for a minute after a burst that all arrived', async () => {
      const [busy, quiet] = [await joined('busy'), await joined('quiet')]
      await burst(busy, 'busy', 3_000)
      expect(heardBy(busy)).toHaveLength(3_000)
      for (let count = 0; count < 12; count += 1) {
        seconds(5)
        await send('lost', 'quiet')
        await quiet.settled()
      }
      expect(heardBy(quiet)).toEqual([])
      seconds(5)
      await send('heard', 'quiet')
      await quiet.binary('heard')
      expect(heardBy(quiet)).toEqual(['heard'])
      await quiet.settled()
      expect(new Set([...saidTo(busy), ...saidTo(quiet)])).toEqual(new Set(['phx_reply']))
    })

    it('loses them once 500 were sent and delivered in 5 s', async () => {
      const client = await joined('limit')
      await burst(client, 'limit', 250)
      seconds(5)
      await send('lost', 'limit')
      await client.settled()
      seconds(5)
      await send('heard', 'limit')
      await client.binary('heard')
      expect(heardBy(client)).not.toContain('lost')
    })

    it('loses nothing below that', async () => {
      const client = await joined('modest')
      await burst(client, 'modest', 249)
      seconds(5)
      await send('end', 'modest')
      await client.binary('end')
      expect(heardBy(client)).toHaveLength(250)
    })

    it('takes the average of a minute once it has one', async () => {
      const client = await joined('old')
      await burst(client, 'old', 1)
      seconds(60)
      await burst(client, 'old', 2_000)
      seconds(5)
      await burst(client, 'old', 1_000)
      seconds(5)
      await send('lost', 'old')
      await client.settled()
      expect(heardBy(client)).toHaveLength(3_001)
    })

    it('forgets what it counted with another limit, and has none unless requested', async () => {
      const client = await joined('switch')
      await burst(client, 'switch', 300)
      seconds(5)
      await send('lost', 'switch')
      await client.settled()
      backend.realtime.faults.limitEvents(1_000)
      await burst(client, 'switch', 1)
      backend.realtime.faults.limitEvents(null)
      expect(backend.realtime.settings.maxEventsPerSecond).toBe(Infinity)
      await burst(client, 'switch', 3_000)
      seconds(5)
      await burst(client, 'switch', 1)
      expect(heardBy(client)).not.toContain('lost')
    })

    it('ends channels that clients send to, which it does not stop', async () => {
      const [speaker, hearer] = [await joined('chat'), await joined('chat')]
      const speak = () =>
        speaker.send('1', null, 'realtime:chat', 'broadcast', { event: 'e', payload: {} })
      for (let count = 0; count < 250; count += 1) speak()
      await speaker.settled()
      seconds(5)
      speak()
      await hearer.text((frame) => frame[3] === 'phx_close')
      const [last, system] = hearer.received.slice(-3).map((item) => 'text' in item && item.text)
      expect(last).toMatchObject([null, null, 'realtime:chat', 'broadcast', { event: 'e' }])
      expect(system).toMatchObject([
        '1',
        null,
        'realtime:chat',
        'system',
        {
          status: 'error',
          message: 'Too many messages per second',
        },
      ])
      expect(saidTo(speaker)).not.toContain('phx_close')
    })
  })

  describe('while the replication connection is lost', () => {
    it('loses what is committed meanwhile, and sends nothing then or later', async () => {
      const { faults } = backend.realtime
      const client = await joined('lost', { broadcast: { replication_ready: true } })
      await client.text((frame) => frame[3] === 'system')
      await send('before', 'lost')
      faults.loseReplication()
      await send('meanwhile', 'lost')
      // At once: what was committed without a connection is not read from the log later.
      faults.restoreReplication()
      await send('after', 'lost')
      await client.binary('after')
      await client.settled()
      expect(heardBy(client)).toEqual(['before', 'after'])
      expect(saidTo(client)).toEqual(['phx_reply', 'system', 'phx_reply'])
    })

    it('lets clients join, who receive what is sent when it is back', async () => {
      const { faults } = backend.realtime
      faults.loseReplication()
      const client = connect(backend)
      const listener = new Listener(client.channel('late'))
      await listener.status('SUBSCRIBED')
      await send('meanwhile', 'late')
      faults.restoreReplication()
      await send('after', 'late')
      await listener.event('after')
      expect(listener.events()).toEqual(['after'])
      await client.removeAllChannels()
    })
  })
})
