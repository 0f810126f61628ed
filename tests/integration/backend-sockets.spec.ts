// @vitest-environment node
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend } from '../../playground/backend/index.ts'
import { bootBackend } from '../support/backend.ts'
import { WireClient } from './support/wire-client.ts'

const payload = 'x'.repeat(1_000_000)

let backend: Backend
beforeAll(async () => {
  backend = await bootBackend([], {
    realtime: { joinErrorDelayMs: 2_000, maxUnreadBytes: 2_000_000, maxUnsentBytes: 2_000_000 },
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
})
