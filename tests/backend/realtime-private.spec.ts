import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBackend, type Backend } from '../../playground/backend/index.ts'
import { connect } from '../support/backend.ts'
import { Listener } from '../support/listener.ts'
import { realtimeUrl, WireClient } from '../support/wire-client.ts'

/** Private channels are decided by policies on `realtime.messages` alone. */
describe('private realtime channels', () => {
  let backend: Backend

  beforeAll(async () => {
    backend = await createBackend({ realtime: { joinErrorDelayMs: 10 } })
    await backend.db.exec(`
      create policy own_topic on realtime.messages for select to authenticated
        using (realtime.topic() = 'user:' || (select auth.uid()) and extension = 'broadcast');
      create policy speak on realtime.messages for insert to authenticated
        with check (realtime.topic() = 'user:' || (select auth.uid()) and extension = 'broadcast');
      create policy room on realtime.messages for select to anon
        using (realtime.topic() = 'room');
      create policy broken on realtime.messages for select to service_role
        using (realtime.topic() = 'broken' and (1 / (length(extension) - 9)) = 1);
    `)
  })
  afterAll(() => backend.close())

  const send = (event: string, topic: string, isPrivate: boolean) =>
    backend.db.query(`select realtime.send('{}', $1, $2, $3)`, [event, topic, isPrivate])
  const anHour = () => Math.floor(Date.now() / 1000) + 3600
  const tokenOf = (sub: string) => backend.keys.sign({ role: 'authenticated', sub, exp: anHour() })
  const probes = () => backend.db.query('select from realtime.messages where event is null')
  const refused = (topic: string) => ({
    status: 'error',
    response: {
      reason: `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`,
    },
  })
  const ada = '11111111-1111-4111-8111-111111111111'
  const bob = '22222222-2222-4222-8222-222222222222'

  it('lets a signed-in user receive their own topic and only private messages on it', async () => {
    const client = connect(backend)
    const email = 'ada@example.com'
    const signedUp = await client.auth.signUp({ email, password: 'correct horse' })
    const user = signedUp.data.user?.id ?? ''
    await client.realtime.setAuth()
    const listener = new Listener(client.channel(`user:${user}`, { config: { private: true } }))
    await listener.status('SUBSCRIBED')
    await send('public', `user:${user}`, false)
    await send('private', `user:${user}`, true)
    await listener.event('private')
    expect(listener.events()).toEqual(['private'])
    await client.removeAllChannels()
  })

  it('refuses what no policy allows, and leaves no probe row behind', async () => {
    const client = await WireClient.connect(backend)
    const token = await tokenOf(ada)
    const topics = [`user:${bob}`, 'room', 'elsewhere']
    for (const [index, topic] of topics.entries()) {
      const reply = await client.join(topic, { ref: `${index}`, private: true, token })
      expect(reply[4]).toEqual(refused(topic))
    }
    expect(await probes()).toEqual([])
  })

  it('reports a refusal to supabase-js, which keeps trying', async () => {
    const client = connect(backend)
    const listener = new Listener(client.channel('elsewhere', { config: { private: true } }))
    await listener.status('CHANNEL_ERROR', 2)
    expect(listener.statuses.at(-1)?.message).toContain('Unauthorized: You do not have permissions')
    await client.removeAllChannels()
  })

  it('falls back to the API key for who has no token', async () => {
    const client = await WireClient.connect(backend)
    expect((await client.join('room', { private: true }))[4]).toMatchObject({ status: 'ok' })
  })

  it('refuses when a policy fails and when the role does not exist', async () => {
    const client = await WireClient.connect(backend)
    const service = backend.serviceRoleKey
    expect((await client.join('fine', { private: true, token: service }))[4]).toMatchObject({
      // service_role bypasses row level security, so that its broken policy is never evaluated.
      status: 'ok',
    })
    await backend.db.exec(
      'create policy fails on realtime.messages to anon using (1 / (length(extension) - 9) = 1)',
    )
    try {
      expect((await client.join('fails', { ref: '2', private: true }))[4]).toEqual(refused('fails'))
    } finally {
      await backend.db.exec('drop policy fails on realtime.messages')
    }
    const token = await backend.keys.sign({ role: 'nobody_at_all', exp: anHour() })
    const reply = await client.join('role', { ref: '3', private: true, token })
    expect(reply[4]).toEqual(refused('role'))
  })

  it('shows policies only the headers whose names begin with x-', async () => {
    await backend.db.exec(`
      create policy by_header on realtime.messages for select to anon using (
        realtime.topic() = 'headers' and current_setting('request.headers')::jsonb
          = '{"x-team": "blue", "x-two": "a, b"}'
      )`)
    const url = realtimeUrl(backend.url, backend.anonKey)
    for (const [team, status] of [
      ['blue', 'ok'],
      ['red', 'error'],
    ] as const) {
      const headers = { 'X-Team': team, 'x-two': 'a, b', 'user-agent': 'x-team', cookie: 'x-a=1' }
      const client = new WireClient(url, { headers })
      await once(client.socket, 'open')
      expect((await client.join('headers', { private: true }))[4]).toMatchObject({ status })
    }
    await backend.db.exec('drop policy by_header on realtime.messages')
  })

  it('ends a channel when a new token may not read it any more', async () => {
    const client = await WireClient.connect(backend)
    const topic = `user:${ada}`
    await client.join(topic, { private: true, token: await tokenOf(ada) })
    const payload = { access_token: await tokenOf(bob) }
    client.send('1', '2', `realtime:${topic}`, 'access_token', payload)
    const system = await client.text((frame) => frame[3] === 'system')
    expect(system[4]).toMatchObject({
      status: 'error',
      message: `You do not have permissions to read from this Channel topic: ${topic}`,
    })
    await client.text((frame) => frame[3] === 'phx_close')
  })

  it('lets nobody send on a private topic without permission to insert', async () => {
    const [anon, owner, listener] = await Promise.all([
      WireClient.connect(backend),
      WireClient.connect(backend),
      WireClient.connect(backend),
    ])
    const topic = `user:${ada}`
    const token = await tokenOf(ada)
    await anon.join('room', { private: true })
    await listener.join('room', { private: true })
    await listener.join(topic, { ref: '2', private: true, token })
    await owner.join(topic, { private: true, token })
    const speak = (client: WireClient, to: string, event: string) =>
      client.send('1', '9', `realtime:${to}`, 'broadcast', {
        type: 'broadcast',
        event,
        payload: {},
      })
    speak(anon, 'room', 'forged')
    await anon.settled()
    speak(owner, topic, 'genuine')
    await listener.text((frame) => frame[3] === 'broadcast')
    await listener.settled()
    const heard = listener.received.flatMap((item) =>
      'text' in item && item.text[3] === 'broadcast' ? item.text[4].event : [],
    )
    expect(heard).toEqual(['genuine'])
    expect(await probes()).toEqual([])
  })

  it('succeeds for supabase-js with a token known before the join', async () => {
    const token = await tokenOf(bob)
    const client = connect(backend)
    await client.realtime.setAuth(token)
    const listener = new Listener(client.channel(`user:${bob}`, { config: { private: true } }))
    await listener.status('SUBSCRIBED')
    expect(listener.statuses.map(({ status }) => status)).toEqual(['SUBSCRIBED'])
    await client.removeAllChannels()
  })
})
