import type { SupabaseClient } from '@supabase/supabase-js'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createBackend, type Backend } from '../../playground/backend/index.ts'
import { connect } from '../support/backend.ts'
import { Listener } from '../support/listener.ts'

/** The unmodified supabase-js over a real socket, against messages sent by the database. */
describe('realtime through supabase-js', () => {
  let backend: Backend
  const clients: SupabaseClient[] = []

  beforeAll(async () => {
    backend = await createBackend({ realtime: { joinErrorDelayMs: 10, handshakeErrorDelayMs: 10 } })
  })
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.removeAllChannels()))
  })
  afterAll(() => backend.close())

  function client(): SupabaseClient {
    const made = connect(backend)
    clients.push(made)
    return made
  }

  async function listen(topic: string, by = client()): Promise<Listener> {
    const listener = new Listener(by.channel(topic))
    await listener.status('SUBSCRIBED')
    return listener
  }

  const send = (event: string, topic: string, payload: object = {}, isPrivate = false) =>
    backend.db.query('select realtime.send($1::jsonb, $2, $3, $4)', [
      JSON.stringify(payload),
      event,
      topic,
      isPrivate,
    ])

  it('delivers a committed message with its payload and the id of its row', async () => {
    const listener = await listen('pgflow:run:one')
    await send('step:completed', 'pgflow:run:one', { output: { words: ['ä', '😀'] } })
    const message = await listener.event('step:completed')
    const [row] = await backend.db.query<{ id: string }>(
      `select id from realtime.messages where topic = 'pgflow:run:one'`,
    )
    expect(message).toMatchObject({
      type: 'broadcast',
      event: 'step:completed',
      payload: { output: { words: ['ä', '😀'] }, id: row?.id },
      meta: { id: row?.id },
    })
  })

  it('delivers nothing of a transaction that rolled back', async () => {
    const listener = await listen('rollback')
    await expect(
      backend.db.transaction(async (tx) => {
        await tx.query(`select realtime.send('{}', 'lost', 'rollback', false)`)
        throw new Error('changed my mind')
      }),
    ).rejects.toThrow('changed my mind')
    await send('kept', 'rollback')
    await listener.event('kept')
    expect(listener.events()).toEqual(['kept'])
  })

  it('delivers in the order of commits and, within one, of inserts', async () => {
    const listener = await listen('order')
    const expected: string[] = []
    for (let transaction = 0; transaction < 20; transaction += 1) {
      await backend.db.transaction(async (tx) => {
        for (let index = 0; index < 5; index += 1) {
          const event = `${transaction}.${index}`
          expected.push(event)
          await tx.query(`select realtime.send('{}', $1, 'order', false)`, [event])
        }
      })
    }
    await listener.event(expected.at(-1) ?? '')
    expect(listener.events()).toEqual(expected)
  })

  it('reaches every client on the topic, and no other topic', async () => {
    const listeners = await Promise.all([listen('shared'), listen('shared')])
    const elsewhere = await listen('shared:other')
    await send('hello', 'shared')
    await Promise.all(listeners.map((listener) => listener.event('hello')))
    await send('end', 'shared:other')
    await elsewhere.event('end')
    expect(elsewhere.events()).toEqual(['end'])
  })

  it('never lets a public channel receive a private message', async () => {
    const listener = await listen('secret')
    await send('private', 'secret', {}, true)
    await send('public', 'secret', {}, false)
    await listener.event('public')
    expect(listener.events()).toEqual(['public'])
  })

  it('stays silent for rows with a missing field and for payloads over the limit', async () => {
    const listener = await listen('silent')
    await backend.db.exec(`
      insert into realtime.messages (topic, extension, event, payload, private) values
        ('silent', 'broadcast', null, '{}', false),
        ('silent', 'broadcast', 'no payload', null, false),
        ('silent', 'broadcast', 'no flag', '{}', null),
        ('silent', 'broadcast', 'too large', to_jsonb(repeat('x', 3100000)), false),
        ('silent', 'broadcast', repeat('long', 80), '{}', false)
    `)
    await send('heard', 'silent')
    await listener.event('heard')
    expect(listener.events()).toEqual(['heard'])
  })

  it('receives nothing more after leaving, and the topic can be joined again', async () => {
    const by = client()
    const first = await listen('leave', by)
    await by.removeChannel(first.channel)
    const second = await listen('leave', by)
    await send('heard', 'leave')
    await second.event('heard')
    expect(first.events()).toEqual([])
    expect(second.events()).toEqual(['heard'])
  })

  it('rejoins by itself after the connection is cut', async () => {
    const listener = await listen('kill')
    expect(backend.realtime.faults.killSockets()).toBeGreaterThan(0)
    await listener.status('CHANNEL_ERROR')
    await listener.status('SUBSCRIBED', 2)
    await send('again', 'kill')
    await listener.event('again')
    expect(listener.statuses[1]?.message).toContain('1006')
  })

  it('rejoins by itself after the server restarts the connection', async () => {
    const listener = await listen('restart')
    backend.realtime.faults.closeSockets()
    await listener.status('SUBSCRIBED', 2)
    expect(listener.statuses[1]?.message).toContain('1012')
  })

  it('loses what is committed while replication is lost', async () => {
    const listener = await listen('pause')
    backend.realtime.faults.loseReplication()
    await send('lost', 'pause')
    // A request after it: the stand-in has read the row by the time this one is answered.
    await backend.db.query('select 1')
    backend.realtime.faults.restoreReplication()
    await send('kept', 'pause')
    await listener.event('kept')
    expect(listener.events()).toEqual(['kept'])
  })

  it('drops, repeats and reorders messages on request', async () => {
    const listener = await listen('tamper')
    const held: (() => void)[] = []
    const stop = backend.realtime.faults.tamper((message, deliver) => {
      if (message.topic !== 'tamper') return deliver(message)
      if (message.event === 'drop') return
      if (message.event === 'late') return void held.push(() => deliver(message))
      deliver(message)
      if (message.event === 'twice') deliver(message)
      held.splice(0).forEach((release) => release())
    })
    for (const event of ['drop', 'late', 'twice', 'end']) await send(event, 'tamper')
    await listener.event('end')
    stop()
    await send('drop', 'tamper')
    await listener.event('drop')
    expect(listener.events()).toEqual(['twice', 'twice', 'late', 'end', 'drop'])
  })

  it('carries what clients send to each other on a public topic', async () => {
    const sender = client().channel('chat', { config: { broadcast: { ack: true } } })
    const speaking = new Listener(sender)
    await speaking.status('SUBSCRIBED')
    const hearing = await listen('chat')
    const result = await sender.send({ type: 'broadcast', event: 'hi', payload: { n: 1 } })
    expect(result).toBe('ok')
    const message = await hearing.event('hi')
    expect(message.payload).toMatchObject({ n: 1 })
    expect(speaking.events()).toEqual([])
  })

  it('carries bytes that clients send to each other', async () => {
    const speaking = await listen('bytes')
    const hearing = await listen('bytes')
    const payload = new Uint8Array([0, 255, 7]).buffer
    await speaking.channel.send({ type: 'broadcast', event: 'raw', payload })
    const message = await hearing.event('raw')
    expect(new Uint8Array(message.payload as unknown as ArrayBuffer)).toEqual(
      new Uint8Array([0, 255, 7]),
    )
  })

  it('refuses a connection with a key of another project', async () => {
    const other = await createBackend({ database: { level: 'pgflow' } })
    try {
      const stranger = connect({ url: backend.url, anonKey: other.anonKey })
      clients.push(stranger)
      const listener = new Listener(stranger.channel('stranger'))
      await listener.status('CHANNEL_ERROR')
      expect(listener.statuses.map(({ status }) => status)).not.toContain('SUBSCRIBED')
    } finally {
      await other.close()
    }
  })
})
