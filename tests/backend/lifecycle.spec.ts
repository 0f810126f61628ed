import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createBackend } from '../../playground/backend/index.ts'
import { connect } from '../support/backend.ts'
import { Listener } from '../support/listener.ts'
import { shortLived } from '../support/short-lived.ts'
import { WireClient } from '../support/wire-client.ts'

describe('the life of an embedded backend', () => {
  it('leaves nothing behind that keeps a process alive', async () => {
    const script = new URL('./support/boot-and-close.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [...shortLived, '--import', 'tsx', script], {
      stdio: 'pipe',
    })
    const output: string[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()))
    const stderr: string[] = []
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk.toString()))
    const [code] = (await once(child, 'exit')) as [number | null]
    expect({ code, output: output.join('') }, stderr.join('')).toEqual({
      code: 0,
      output: 'closed\n',
    })
  })

  it('works off neither tasks nor statements when it is asked to stop', async () => {
    const script = new URL('./support/boot-and-stop.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [...shortLived, '--import', 'tsx', script], {
      stdio: 'pipe',
    })
    const output: string[] = []
    child.stdout.on('data', (chunk: Buffer) => {
      output.push(chunk.toString())
      if (chunk.toString().includes('started')) child.kill('SIGTERM')
    })
    const [code] = (await once(child, 'exit')) as [number | null]
    expect(code).toBe(0)
    // Not all of it was worked off before anybody listened.
    const [, left, refused] =
      /stopped with (\d+) left and (\d+) refused/.exec(output.join('')) ?? []
    expect(Number(left)).toBeGreaterThan(1_000)
    expect(Number(refused)).toBeGreaterThan(1_900)
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with the dev server on %s', async (signal) => {
    const script = new URL('./support/serve-and-stop.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [...shortLived, '--import', 'tsx', script], {
      stdio: 'pipe',
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    child.stdout.once('data', () => child.kill(signal))
    // Vite ends itself on SIGTERM; nobody listens to the other.
    const ended = signal === 'SIGTERM' ? [143, null] : [null, signal]
    expect(await once(child, 'exit')).toEqual(ended)
  })

  it('closes twice without complaint, and disconnects everyone', async () => {
    const backend = await createBackend({ database: { level: 'pgflow' } })
    const client = await WireClient.connect(backend)
    await Promise.all([backend.close(), backend.close()])
    await backend.close()
    expect(await client.closed).toBe(1006)
    await expect(fetch(`${backend.url}/rest/v1/`)).rejects.toThrow('fetch failed')
  })

  it('closes in the middle of requests, joins and tasks without an error', async () => {
    const backend = await createBackend()
    const client = await WireClient.connect(backend)
    const requests = Array.from({ length: 20 }, (_, index) =>
      fetch(`${backend.url}/rest/v1/rpc/anything`, {
        method: 'POST',
        headers: { apikey: backend.anonKey, 'content-type': 'application/json' },
        body: JSON.stringify({ index }),
      }).then(
        (response) => response.status,
        () => 'cut off',
      ),
    )
    for (let index = 0; index < 20; index += 1) {
      const ref = String(index)
      client.send(ref, ref, `realtime:${ref}`, 'phx_join', { config: { private: true } })
    }
    await requests[0]
    await backend.close()
    expect(await Promise.all(requests)).toContain(404)
    await client.closed
  })

  it('runs twice in one process, each with its own data, keys and topics', async () => {
    const [one, two] = await Promise.all([createBackend(), createBackend()])
    try {
      expect(one.url).not.toBe(two.url)
      const [first, second] = [connect(one), connect(two)]
      const listeners = [first, second].map((client) => new Listener(client.channel('same')))
      await Promise.all(listeners.map((listener) => listener.status('SUBSCRIBED')))
      await one.db.query(`select realtime.send('{}', 'from one', 'same', false)`)
      await two.db.query(`select realtime.send('{}', 'from two', 'same', false)`)
      await Promise.all([listeners[0]?.event('from one'), listeners[1]?.event('from two')])
      expect(listeners.map((listener) => listener.events())).toEqual([['from one'], ['from two']])
      await Promise.all([first.removeAllChannels(), second.removeAllChannels()])
    } finally {
      await Promise.all([one.close(), two.close()])
    }
  })
})
