import { once } from 'node:events'
import type { SupabaseClient } from '@supabase/supabase-js'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { noFaults, type FaultState } from '../../playground/backend/faults/state.ts'
import type { Backend } from '../../playground/backend/index.ts'
import { bootBackend, connect, until } from '../support/backend.ts'
import { askSwitches, Greet, readRun, startRun } from './support/fault-switches.ts'
import { Listener } from '../support/listener.ts'
import { openSocket, upgradeRequest } from './support/raw-http.ts'

let backend: Backend
let supabase: SupabaseClient
beforeAll(async () => {
  backend = await bootBackend([Greet])
})
afterAll(() => backend.close())
beforeEach(() => {
  supabase = connect(backend)
})
afterEach(async () => {
  backend.faults.reset()
  await supabase.removeAllChannels()
})

const ask = (method: string, path?: string, body?: unknown, headers?: object) =>
  askSwitches(backend, method, path, body, headers)
const change = (patch: Partial<FaultState>) => ask('PATCH', '', patch)

async function listen(): Promise<Listener> {
  const listener = new Listener(supabase.channel('topic'))
  await listener.status('SUBSCRIBED')
  return listener
}

const send = (...events: string[]) =>
  backend.db.query(
    `select realtime.send('{}', event, 'topic', false) from unnest($1::text[]) as event`,
    [events],
  )

/** Resolves once `count` messages have come to the switches, whatever becomes of them. */
async function passed(count: number, work: () => Promise<unknown>): Promise<void> {
  let seen = 0
  const stop = backend.realtime.faults.tamper((message, deliver) => {
    deliver(message)
    seen += 1
  })
  await work()
  await until(() => seen === count)
  stop()
}

describe('the switches of the embedded backend', () => {
  it('report what is wrong, change one by one and are all fixed by one request', async () => {
    expect(await ask('GET')).toEqual({ status: 200, body: { state: noFaults } })
    const patch: Partial<FaultState> = {
      dropShare: 0.5,
      eventsPerSecond: 10,
      replicationLost: true,
      restFailure: 'unavailable',
      tokensExpired: true,
    }
    expect(await change(patch)).toEqual({ status: 200, body: { state: { ...noFaults, ...patch } } })
    expect((await change({ dropShare: 0 })).body.state).toMatchObject({ dropShare: 0, restFailure: 'unavailable' }) // prettier-ignore
    expect((await ask('POST', '/reset')).body.state).toEqual(noFaults)
    expect((await ask('GET')).body.state).toEqual(noFaults)
  })

  it('show what was switched in the process itself', async () => {
    backend.realtime.faults.loseReplication()
    backend.realtime.faults.limitEvents(7)
    const { body } = await ask('GET')
    expect(body.state).toMatchObject({ replicationLost: true, eventsPerSecond: 7 })
  })

  it.each([
    ['{', 400],
    ['null', 400],
    ['[1]', 400],
    [{ offline: 1 }, 400],
    [{ dropShare: 1.5 }, 400],
    [{ delayMs: -1 }, 400],
    [{ restDelayMs: 1e9 }, 400],
    [{ restFailure: 'constructor' }, 400],
    [{ unknown: true }, 400],
    ['{"__proto__":{"offline":true}}', 400],
  ])('refuse %j and change nothing', async (body, status) => {
    const answer = await ask('PATCH', '', body)
    expect(answer.status).toBe(status)
    expect(answer.body.message).toEqual(expect.any(String))
    expect(backend.faults.state).toEqual(noFaults)
  })

  it.each([
    ['GET', '/reset', 405],
    ['DELETE', '', 405],
    ['POST', '/constructor', 404],
    ['POST', '/reset/more', 404],
    ['GET', '/../../v1/nothing', 404],
  ])('know no %s %s', async (method, path, status) => {
    expect((await ask(method, path)).status).toBe(status)
  })

  it('are for pages of this machine that have the key, as the rest', async () => {
    expect((await ask('PATCH', '', { offline: true }, { apikey: 'wrong' })).status).toBe(401)
    const foreign = { origin: 'https://example.org' }
    expect((await ask('PATCH', '', { offline: true }, foreign)).status).toBe(403)
    expect(backend.faults.state.offline).toBe(false)
    expect((await ask('GET', '', undefined, { origin: 'http://localhost:1' })).status).toBe(200)
  })
})

describe('offline', () => {
  it('cuts sockets and requests off, all but the switches, until it is over', async () => {
    const listener = await listen()
    await change({ offline: true })
    await listener.status('CHANNEL_ERROR')
    const { error } = await startRun(supabase)
    expect(error?.message).toMatch(/fetch failed/)
    const socket = openSocket(backend)
    socket.write(upgradeRequest(`/realtime/v1/websocket?apikey=${backend.anonKey}&vsn=2.0.0`))
    await once(socket, 'close')
    expect((await ask('GET')).body.state?.offline).toBe(true)
    await change({ offline: false })
    expect((await startRun(supabase)).error).toBeNull()
    await listener.status('SUBSCRIBED', 2)
  })

  it('cuts off a request that is under way too', async () => {
    await change({ restDelayMs: 1_500 })
    const runId = crypto.randomUUID()
    // Sent now, and not when it is awaited.
    const answer = startRun(supabase, runId).then((reply) => reply)
    await ask('GET')
    await change({ offline: true })
    expect((await answer).error?.message).toMatch(/fetch failed/)
    await change({ offline: false, restDelayMs: 0 })
    expect((await readRun(supabase, runId)).data).toMatchObject([{ run: { run_id: runId } }])
  })
})

describe('messages of the database', () => {
  it('are all dropped, and come again afterwards', async () => {
    const listener = await listen()
    await change({ dropShare: 1 })
    await passed(1, () => send('lost'))
    await change({ dropShare: 0 })
    await send('heard')
    await listener.event('heard')
    expect(listener.events()).toEqual(['heard'])
  })

  it('arrive twice', async () => {
    const listener = await listen()
    await change({ duplicate: true })
    await send('one', 'two')
    await send('end')
    await until(() => listener.heard.length === 6)
    expect(listener.events()).toEqual(['one', 'one', 'two', 'two', 'end', 'end'])
    const [first, second] = listener.heard
    expect(first?.meta?.id).toBe(second?.meta?.id)
  })

  it('arrive late, and still in their order', async () => {
    const listener = await listen()
    await change({ delayMs: 1_500 })
    await passed(2, () => send('one', 'two'))
    await change({ delayMs: 0 })
    await send('three')
    await until(() => listener.heard.length === 3)
    expect(listener.events()).toEqual(['three', 'one', 'two'])
  })

  it('of a topic change places, and one that nothing follows arrives all the same', async () => {
    const listener = await listen()
    await change({ reorder: true })
    await send('one', 'two', 'three')
    await until(() => listener.heard.length === 3)
    expect(listener.events()).toEqual(['two', 'one', 'three'])
  })

  it('are lost with the replication connection, without an error on their channel', async () => {
    const listener = await listen()
    await change({ replicationLost: true })
    await send('lost')
    await change({ replicationLost: false })
    await send('heard')
    await listener.event('heard')
    expect(listener.events()).toEqual(['heard'])
    expect(listener.statuses).toEqual([{ status: 'SUBSCRIBED' }])
  })

  it('are dropped while there are too many a second', async () => {
    const listener = await listen()
    let later = 0
    const now = performance.now.bind(performance)
    vi.spyOn(performance, 'now').mockImplementation(() => now() + later)
    await change({ eventsPerSecond: 1 })
    await send('one', 'two', 'three')
    await until(() => listener.heard.length === 3)
    // The server looks every five seconds: six messages and deliveries are over the limit.
    later = 5_000
    await passed(1, () => send('too many'))
    await change({ eventsPerSecond: null })
    await send('after')
    await listener.event('after')
    expect(listener.events()).toEqual(['one', 'two', 'three', 'after'])
  })
})

describe('sockets', () => {
  it('are killed, or closed as by a restart, and come back', async () => {
    const listener = await listen()
    expect((await ask('POST', '/kill-sockets')).body.sockets).toBe(1)
    await listener.status('SUBSCRIBED', 2)
    expect((await ask('POST', '/restart-realtime')).body.sockets).toBe(1)
    await listener.status('SUBSCRIBED', 3)
    const lost = listener.statuses.filter(({ status }) => status === 'CHANNEL_ERROR')
    expect(lost.map(({ message }) => message)).toEqual([
      'socket closed: 1006',
      'socket closed: 1012 (Service restart)',
    ])
  })
})
