import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../support/backend.ts'
import { Listener } from '../support/listener.ts'
import { shortLived } from '../support/short-lived.ts'

const script = new URL('../../playground/backend/cli.ts', import.meta.url).pathname

function run(...args: string[]): ChildProcessWithoutNullStreams {
  const env = { ...process.env, PLAYGROUND_PACE_MS: '0' }
  const child = spawn(process.execPath, [...shortLived, '--import', 'tsx', script, ...args], {
    env,
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

interface Running {
  url: string
  anonKey: string
  serviceRoleKey: string
}

/** Resolves with what it prints first, once it is all there. */
async function started(child: ChildProcessWithoutNullStreams): Promise<Running> {
  let text = ''
  while (!text.includes('Ctrl+C')) {
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
    text += chunk.toString()
  }
  const read = (label: string) => new RegExp(`^${label}: +(\\S+)$`, 'm').exec(text)?.[1] ?? ''
  return {
    url: read('URL'),
    anonKey: read('anon key'),
    serviceRoleKey: read('service role key'),
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

// Each process boots a backend of its own.
describe('npm run backend', { timeout: 90_000 }, () => {
  it('prints an address and keys that supabase-js works with, and ends on SIGTERM', async () => {
    const port = await freePort()
    const child = run('--port', String(port))
    const errors = readAll(child.stderr)
    const { url, anonKey, serviceRoleKey } = await started(child)
    expect(url).toBe(`http://127.0.0.1:${port}`)
    const supabase = connect({ url, anonKey })
    const { data } = await supabase.auth.signInAnonymously()
    expect(data.user?.is_anonymous).toBe(true)
    const runId = crypto.randomUUID()
    const listener = new Listener(supabase.channel(`pgflow:run:${runId}`))
    await listener.status('SUBSCRIBED')
    const { error } = await supabase.schema('pgflow_client').rpc('start_flow_with_states', {
      p_flow_slug: 'analyze_text',
      p_input: { text: 'A short and lovely text.' },
      p_run_id: runId,
    })
    expect(error).toBeNull()
    const { payload } = await listener.event('run:completed')
    expect(payload.output).toHaveProperty('report')
    const admin = connect({ url, anonKey: serviceRoleKey }).schema('pgflow_client')
    const read = await admin.rpc('get_run_with_states', { p_run_id: runId })
    expect(read.data).toMatchObject([{ run: { status: 'completed' } }])
    await supabase.removeAllChannels()
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
    expect(await errors).not.toMatch(/Error/)
  })

  it('takes any free port, reports when one is taken, and ends on SIGINT with its sockets', async () => {
    const child = run()
    const { url, anonKey } = await started(child)
    const second = run('--port', new URL(url).port)
    const errors = readAll(second.stderr)
    expect(await once(second, 'exit')).toEqual([1, null])
    expect(await errors).toContain('EADDRINUSE')

    const supabase = connect({ url, anonKey })
    const listener = new Listener(supabase.channel('any'))
    await listener.status('SUBSCRIBED')
    const exit = once(child, 'exit')
    child.kill('SIGINT')
    expect(await exit).toEqual([0, null])
    await listener.status('CHANNEL_ERROR')
    await supabase.removeAllChannels()
    await supabase.realtime.disconnect()
  })
})
