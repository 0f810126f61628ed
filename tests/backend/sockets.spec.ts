import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend } from '../../playground/backend/index.ts'
import { bootBackend } from '../support/backend.ts'
import { upgradeRequest } from './support/raw-http.ts'
import { WireClient } from '../support/wire-client.ts'

const payload = 'x'.repeat(1_000_000)

let backend: Backend
beforeAll(async () => {
  backend = await bootBackend([], {
    realtime: {
      joinErrorDelayMs: 2_000,
      handshakeErrorDelayMs: 10,
      maxUnreadBytes: 2_000_000,
      maxUnsentBytes: 2_000_000,
    },
  })
})
afterAll(() => backend.close())

describe('the memory that a socket takes', () => {
  it('is not that of all it sends while a join is decided', async () => {
    const client = await WireClient.connect(backend)
    const order: string[] = []
    client.send('1', '1', 'realtime:', 'phx_join', { config: {} })
    for (let count = 0; count < 20; count += 1) {
      client.send(null, String(count), 'realtime:none', 'broadcast', { event: 'e', payload })
    }
    client.socket.ping()
    await Promise.all([
      client.text(([, , topic]) => topic === 'realtime:').then(() => order.push('refused')),
      once(client.socket, 'pong').then(() => order.push('read')),
    ])
    expect(order).toEqual(['refused', 'read'])
    // Whatever waited is handled after all.
    await client.settled()
    client.socket.close()
    await client.closed
  })

  it('is not that of all it does not read', async () => {
    const [writer, slow] = [await WireClient.connect(backend), await WireClient.connect(backend)]
    await Promise.all([writer.join('busy', { broadcast: { ack: true } }), slow.join('busy')])
    slow.socket.pause()
    for (let count = 0; count < 30; count += 1) {
      const ref = `sent-${count}`
      writer.send('1', ref, 'realtime:busy', 'broadcast', { event: 'e', payload })
      await writer.text((frame) => frame[1] === ref)
    }
    await writer.settled()
    expect(backend.realtime.faults.killSockets()).toBe(1)
    await writer.closed
    slow.socket.terminate()
  })

  it('is not that of all it is to be told while a join is decided', async () => {
    const [writer, busy] = [await WireClient.connect(backend), await WireClient.connect(backend)]
    await Promise.all([writer.join('busy', { broadcast: { ack: true } }), busy.join('busy')])
    busy.send('2', '2', 'realtime:', 'phx_join', { config: {} })
    await busy.arrived()
    for (let count = 0; count < 4; count += 1) {
      writer.send('1', `sent-${count}`, 'realtime:busy', 'broadcast', { event: 'e', payload })
    }
    await busy.closed
    await writer.settled()
    writer.socket.close()
    await writer.closed
  })

  it('is not that of very many small messages while a join is decided', async () => {
    const client = await WireClient.connect(backend)
    const order: string[] = []
    client.send('1', '1', 'realtime:', 'phx_join', { config: {} })
    for (let count = 0; count < 20_000; count += 1) client.send(null, null, '', 'none', {})
    client.socket.ping()
    await Promise.all([
      client.text(([, , topic]) => topic === 'realtime:').then(() => order.push('refused')),
      once(client.socket, 'pong').then(() => order.push('read')),
    ])
    expect(order).toEqual(['refused', 'read'])
    client.socket.close()
    await client.closed
  })

  it('is not that of very many small ones it is to be told meanwhile', async () => {
    const [writer, busy] = [await WireClient.connect(backend), await WireClient.connect(backend)]
    await Promise.all([writer.join('small'), busy.join('small')])
    busy.send('2', '2', 'realtime:', 'phx_join', { config: {} })
    await busy.arrived()
    for (let count = 0; count < 5_000; count += 1) {
      writer.send('1', null, 'realtime:small', 'broadcast', {})
    }
    await busy.closed
    writer.socket.close()
    await writer.closed
  })

  it('is not that of very many small ones it does not read', async () => {
    const { settings } = backend.realtime
    const { maxUnsentBytes } = settings
    const [writer, slow] = [await WireClient.connect(backend), await WireClient.connect(backend)]
    await Promise.all([writer.join('slow'), slow.join('slow')])
    slow.socket.pause()
    settings.maxUnsentBytes = 38_000_000
    // More than the system itself keeps for a reader.
    for (let count = 0; count < 30; count += 1) {
      writer.send('1', null, 'realtime:slow', 'broadcast', { payload })
    }
    for (let count = 0; count < 25_000; count += 1) {
      writer.send('1', null, 'realtime:slow', 'broadcast', {})
    }
    await writer.settled()
    expect(backend.realtime.faults.killSockets()).toBe(1)
    settings.maxUnsentBytes = maxUnsentBytes
    await writer.closed
    slow.socket.terminate()
  })
})

describe('a connection that was refused', () => {
  it.each([
    ['a foreign origin', { Origin: 'https://example.org' }],
    ['no key', {}],
  ])('is closed although the client keeps it open (%s)', async (_name, headers) => {
    const { hostname, port } = new URL(backend.url)
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    const failed = new Promise((resolve) => socket.once('error', resolve))
    socket.write(upgradeRequest('/realtime/v1/websocket?vsn=2.0.0', headers))
    socket.resume()
    await once(socket, 'end')
    // What is sent to who closed its side altogether is answered with a reset, and then fails.
    const writing = setInterval(() => socket.write('still here'), 5)
    await failed
    clearInterval(writing)
  })
})
