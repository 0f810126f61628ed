import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { PgflowError, useFlow, useRun, type Json, type PgflowOptions } from 'pinia-pgflow'
import { beforeAll, describe, expect, it } from 'vitest'
import { ref } from 'vue'
import type { Backend } from '../../playground/backend/index.ts'
import { mountApp } from '../support/app.ts'
import { bootBackend, connect, until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'

const Echo = new Flow<{ text: string }>({ slug: 'echo' }).step(
  { slug: 'say' },
  ({ run }) => run.text,
)
const Sum = new Flow<number[]>({ slug: 'sum' }).map({ slug: 'double' }, (n) => n * 2)
const Secret = new Flow<{ text: string }>({ slug: 'secret' }).step({ slug: 'say' }, () => 1)

const fixture = useBackend([Echo, Sum])

function client(target: Pick<Backend, 'url' | 'anonKey'> = fixture.backend): SupabaseClient {
  const made = connect(target)
  return fixture.own(made)
}

beforeAll(async () => {
  await fixture.backend.worker.register(Secret, [])
})

/** What a promise is rejected with; fails when it is not. */
async function failureOf(work: Promise<unknown>): Promise<PgflowError> {
  const error = await work.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof PgflowError) return error
  throw new Error('not a PgflowError', { cause: error })
}

const mountFlow = (slug: string, options?: Omit<Partial<PgflowOptions>, 'supabase'>) =>
  mountApp(client(), () => useFlow(slug), options)

describe('a start that the database refuses', () => {
  it.each<[string, string, Json, string]>([
    ['a flow that does not exist', 'nowhere', {}, 'flow_not_found'],
    ['a flow that this role may not start', 'secret', { text: 'x' }, 'flow_not_allowed'],
    ['input that the flow does not take', 'sum', { not: 'an array' }, 'invalid_input'],
    ['null as input', 'echo', null, 'invalid_input'],
  ])('%s', async (_, slug, input, code) => {
    const { result: flow, store, wrapper } = mountFlow(slug)
    const error = await failureOf(flow.startAsync(input))
    expect(error.code).toBe(code)
    expect(error.message).toMatch(/\w{3,}/)
    expect(error.hint).toMatch(/\w{3,}/)
    expect(flow.error.value).toBe(error)
    expect(flow.status.value).toBe('idle')
    expect(flow.isPending.value).toBe(false)
    expect(store.runs).toEqual({})
    expect(store.connections).toEqual({})
    wrapper.unmount()
  })

  it('input that is not JSON is refused before anything is sent', async () => {
    const { result: flow, store, wrapper } = mountFlow('echo')
    const circular: Record<string, Json> = {}
    circular.self = circular
    expect(await failureOf(flow.startAsync(circular))).toMatchObject({ code: 'invalid_input' })
    expect(store.runs).toEqual({})
    wrapper.unmount()
  })

  it('a run id that belongs to another start [C10]', async () => {
    const { result: flow, store, wrapper } = mountFlow('echo')
    const { run_id: runId } = await flow.startAsync({ text: 'one' })
    const again = await flow.startAsync({ text: 'one' }, { runId })
    expect(again.run_id).toBe(runId)
    const error = await failureOf(flow.startAsync({ text: 'two' }, { runId }))
    expect(error).toMatchObject({ code: 'run_conflict', runId })
    expect(store.runs[runId]?.input).toEqual({ text: 'one' })
    wrapper.unmount()
  })

  it('a run id that is no UUID', async () => {
    const { result: flow, wrapper } = mountFlow('echo')
    const error = await failureOf(flow.startAsync({ text: 'x' }, { runId: 'seven' }))
    expect(error.code).toBe('invalid_input')
    wrapper.unmount()
  })
})

describe('a run that cannot be observed', () => {
  it('does not exist: shows the error, and requests no more', async () => {
    const id = ref<string | null>(crypto.randomUUID())
    const supabase = client()
    const { result: view, wrapper } = mountApp(supabase, () => useRun(id))
    expect(await failureOf(view.ready)).toMatchObject({ code: 'run_not_found' })
    await until(() => view.connection.value.status === 'closed')
    expect(view.error.value).toMatchObject({ code: 'run_not_found' })
    expect(view.run.value).toBeNull()
    expect(supabase.getChannels()).toEqual([])
    wrapper.unmount()
  })

  it('no id: nothing is requested, and there is no error', async () => {
    const { result: view, wrapper } = mountApp(client(), () => useRun(null))
    await view.ready
    await view.refresh()
    expect(view.run.value).toBeNull()
    expect(view.error.value).toBeNull()
    wrapper.unmount()
  })
})

describe('a set-up that is not complete', () => {
  it('without the migration', async () => {
    const bare = await bootBackend([], { database: { level: 'pgflow' } })
    const { result: flow, wrapper } = mountApp(client(bare), () => useFlow('echo'))
    const error = await failureOf(flow.startAsync({}))
    expect(['not_migrated', 'schema_not_exposed']).toContain(error.code)
    expect(error.hint).toMatch(/migration|exposed/)
    wrapper.unmount()
    await bare.close()
  })

  it('without the schema exposed [C12]', async () => {
    const hidden = await bootBackend([Echo], { schemas: ['public'] })
    const { result: flow, wrapper } = mountApp(client(hidden), () => useFlow('echo'))
    expect(await failureOf(flow.startAsync({}))).toMatchObject({
      code: 'schema_not_exposed',
      hint: expect.stringContaining('pgflow_client') as string,
    })
    wrapper.unmount()
    await hidden.close()
  })
})

describe('a backend that does not respond', () => {
  /** A server in front of the backend that can swallow requests or replies. */
  async function startProxy(mode: { drop: 'nothing' | 'requests' | 'replies' | 'everything' }) {
    let starts = 0
    const server: Server = createServer((req, res) => {
      if (req.url?.endsWith('start_flow_with_states')) starts += 1
      if (mode.drop === 'requests') req.socket.destroy()
      if (mode.drop === 'requests' || mode.drop === 'everything') return
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on('end', () => {
        const { host: _, connection: __, ...headers } = req.headers
        const flat = Object.entries(headers).map(([name, value]) => [name, String(value)] as const)
        void fetch(`${fixture.backend.url}${req.url ?? ''}`, {
          method: req.method ?? 'GET',
          headers: Object.fromEntries(flat),
          ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
        }).then(async (reply) => {
          const body = Buffer.from(await reply.arrayBuffer())
          if (mode.drop === 'replies') req.socket.destroy()
          else res.writeHead(reply.status, { 'content-type': 'application/json' }).end(body)
        })
      })
    })
    // REST only: Realtime stays out of reach behind it.
    server.on('upgrade', (_, socket) => socket.destroy())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return {
      url: `http://127.0.0.1:${port}`,
      starts: () => starts,
      close: () => {
        server.closeAllConnections()
        server.close()
      },
    }
  }

  it('fails a start within its timeout, and the next one continues it', async () => {
    const mode: Parameters<typeof startProxy>[0] = { drop: 'requests' }
    const proxy = await startProxy(mode)
    const supabase = client({ url: proxy.url, anonKey: fixture.backend.anonKey })
    const { result: flow, store, wrapper } = mountApp(supabase, () => useFlow<typeof Echo>('echo'))
    const error = await failureOf(flow.startAsync({ text: 'hello' }, { timeout: 300 }))
    expect(error).toMatchObject({ code: 'unreachable', runId: expect.any(String) as string })
    expect(store.runs).toEqual({})
    expect(flow.isPending.value).toBe(false)

    mode.drop = 'nothing'
    const run = await flow.startAsync({ text: 'hello' })
    expect(run.run_id).toBe(error.runId)
    expect(flow.error.value).toBeNull()
    wrapper.unmount()
    proxy.close()
  })

  it('starts a run once although the first reply is lost', async () => {
    const mode: Parameters<typeof startProxy>[0] = { drop: 'replies' }
    const proxy = await startProxy(mode)
    const supabase = client({ url: proxy.url, anonKey: fixture.backend.anonKey })
    const { result: flow, wrapper } = mountApp(supabase, () => useFlow<typeof Echo>('echo'))
    const starting = flow.startAsync({ text: 'once' })
    await until(() => proxy.starts() >= 1)
    const [{ count: before }] = await countOf('once')
    mode.drop = 'nothing'
    const run = await starting
    expect(run.input).toEqual({ text: 'once' })
    const [{ count }] = await countOf('once')
    expect({ before: Number(before) <= 1, count: Number(count) }).toEqual({
      before: true,
      count: 1,
    })
    wrapper.unmount()
    proxy.close()
  })

  it('gives up when nothing ever comes back, and when the caller does', async () => {
    const proxy = await startProxy({ drop: 'everything' })
    const supabase = client({ url: proxy.url, anonKey: fixture.backend.anonKey })
    const { result: flow, store, wrapper } = mountApp(supabase, () => useFlow('echo'))
    expect(await failureOf(flow.startAsync({}, { timeout: 200 }))).toMatchObject({
      code: 'timeout',
    })
    const controller = new AbortController()
    const aborted = failureOf(flow.startAsync({}, { signal: controller.signal }))
    controller.abort()
    expect(await aborted).toMatchObject({ code: 'aborted' })
    expect(await failureOf(flow.startAsync({}, { signal: controller.signal }))).toMatchObject({
      code: 'aborted',
    })
    expect(store.runs).toEqual({})
    wrapper.unmount()
    proxy.close()
  })

  it('keeps requesting an observed run until the backend is back [F33]', async () => {
    const mode: Parameters<typeof startProxy>[0] = { drop: 'requests' }
    const started = mountFlow('echo')
    const { run_id } = await started.result.startAsync({ text: 'x' })
    const proxy = await startProxy(mode)
    const supabase = client({ url: proxy.url, anonKey: fixture.backend.anonKey })
    const { result: view, wrapper, reported } = mountApp(supabase, () => useRun(run_id))
    expect(await failureOf(view.ready)).toMatchObject({ code: 'unreachable' })
    await until(() => view.connection.value.status === 'offline')
    expect(view.error.value?.code).toMatch(/unreachable|channel_failed/)
    expect(reported.length).toBeGreaterThan(0)
    mode.drop = 'nothing'
    await until(() => view.run.value !== null)
    wrapper.unmount()
    started.wrapper.unmount()
    proxy.close()
  })

  async function countOf(text: string): Promise<[{ count: string }]> {
    const [row] = await fixture.backend.db.query<{ count: string }>(
      `select count(*)::text as count from pgflow.runs where input ->> 'text' = $1`,
      [text],
    )
    if (!row) throw new Error('no count')
    return [row]
  }
})

it('reports what is missing when the plugin is not installed', async () => {
  const { createPinia, setActivePinia } = await import('pinia')
  const { usePgflowStore } = await import('pinia-pgflow')
  setActivePinia(createPinia())
  expect(() => usePgflowStore()).toThrow(expect.objectContaining({ code: 'not_installed' }))
})
