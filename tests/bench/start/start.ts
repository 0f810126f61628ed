import { setTimeout as wait } from 'node:timers/promises'
import { Flow } from '@pgflow/dsl'
import { PgflowClient } from '@pgflow/client'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { createPinia } from 'pinia'
import { createPgflow, usePgflowStore } from 'pinia-pgflow'
import { createApp } from 'vue'
import { WebSocket } from 'ws'
import { createBackend, type Backend } from '../../../playground/backend/index.ts'
import { noFindings, type Benchmark } from '../benchmark.ts'
import { compare, timed } from '../harness.ts'
import { openSlowRoad } from './slow-road.ts'

const roundTripMs = 50
const input = { text: 'A short input.' }
const flow = new Flow<{ text: string }>({ slug: 'greet' }).step(
  { slug: 'only' },
  ({ run }) => run.text,
)

/** Starts a run; resolves when what the database says of it is there to be shown. */
type Starter = () => Promise<void>

export const benchmark: Benchmark = {
  name: 'start',
  about:
    `From the call to the first state that the database has confirmed, at a round trip of ` +
    `${roundTripMs} ms. On a new page every connection has to be opened first; TLS and CORS, which ` +
    'cost both the same, are not there.',
  async run(rounds) {
    const findings = noFindings()
    const ours = await boot('full')
    const theirs = await boot('pgflow')
    await theirs.db.exec(`
      grant usage on schema pgflow to anon;
      grant execute on function pgflow.start_flow_with_states(text, jsonb, uuid) to anon;
    `)
    try {
      // Or the server's own compiler would be the most of what is measured.
      for (let turn = 0; turn < 50; turn += 1) {
        await warmUp(ours, 'pgflow_client', { p_flow_slug: 'greet', p_input: input })
        await warmUp(theirs, 'pgflow', { flow_slug: 'greet', input })
      }
      for (const [title, isNew] of [
        ['on a new page', true],
        ['the second start of a page', false],
      ] as const) {
        const variants = [
          { name: 'pinia-pgflow', measure: () => measure(ours, prepareOurs, isNew) },
          {
            name: '@pgflow/client',
            measure: () => quietly(() => measure(theirs, prepareTheirs, isNew)),
          },
        ]
        findings.comparisons[title] = await compare(variants, rounds(25), [
          { of: 'pinia-pgflow', to: '@pgflow/client', figure: '≤ 0.3' },
        ])
      }
    } finally {
      await Promise.all([ours.close(), theirs.close()])
    }
    return findings
  },
}

async function boot(level: 'full' | 'pgflow'): Promise<Backend> {
  const backend = await createBackend({
    flows: [flow],
    database: { level },
    schemas: ['public', level === 'full' ? 'pgflow_client' : 'pgflow'],
  })
  // Nothing but the start is to keep the one connection busy.
  backend.worker.pause()
  return backend
}

async function warmUp(backend: Backend, schema: string, args: object): Promise<void> {
  const response = await fetch(`${backend.url}/rest/v1/rpc/start_flow_with_states`, {
    method: 'POST',
    headers: {
      apikey: backend.anonKey,
      'content-profile': schema,
      'content-type': 'application/json',
    },
    body: JSON.stringify(args),
  })
  if (!response.ok) throw new Error(await response.text())
}

/** Each round has a road, and so connections, of its own. */
async function measure(
  backend: Backend,
  prepare: (supabase: SupabaseClient) => { start: Starter; stop: () => void },
  isNew: boolean,
): Promise<number> {
  const road = await openSlowRoad(backend.url, roundTripMs)
  const supabase = createClient(road.url, backend.anonKey, {
    auth: { persistSession: false, autoRefreshToken: false, storageKey: crypto.randomUUID() },
    // Typed for browsers; `ws` has what is needed of it.
    realtime: { transport: WebSocket as unknown as typeof globalThis.WebSocket },
  })
  const { start, stop } = prepare(supabase)
  try {
    if (!isNew) {
      await start()
      // Until what follows a start is over, and its connection free again.
      await wait(4 * roundTripMs)
    }
    return await timed(start)
  } finally {
    stop()
    await supabase.removeAllChannels()
    await supabase.realtime.disconnect()
    await road.close()
  }
}

function prepareOurs(supabase: SupabaseClient): { start: Starter; stop: () => void } {
  const pinia = createPinia()
  const app = createApp({ render: () => null })
  app.use(pinia)
  app.use(createPgflow({ supabase, gcTime: 60_000, ssr: false }))
  const store = usePgflowStore(pinia)
  const started: string[] = []
  return {
    async start() {
      const { run_id, status } = await store.startFlow<typeof flow>('greet', input)
      started.push(run_id)
      if (status !== 'started' || store.stepsOf(run_id).length !== 1) throw new Error('no state')
    },
    stop: () => started.forEach((runId) => store.removeRun(runId)),
  }
}

function prepareTheirs(supabase: SupabaseClient): { start: Starter; stop: () => void } {
  const client = new PgflowClient(supabase)
  return {
    async start() {
      const run = await client.startFlow<typeof flow>('greet', input)
      // Before the database has answered, it is -1.
      if (run.remaining_steps !== 1) throw new Error('no state')
    },
    stop: () => client.disposeAll(),
  }
}

/** The client tells the console what its channels do. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { log } = console
  console.log = () => {}
  try {
    return await work()
  } finally {
    console.log = log
  }
}
