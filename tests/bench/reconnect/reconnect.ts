import { setTimeout as wait } from 'node:timers/promises'
import { Flow } from '@pgflow/dsl'
import { PgflowClient } from '@pgflow/client'
import { createPinia } from 'pinia'
import { createPgflow, usePgflowStore } from 'pinia-pgflow'
import { createApp } from 'vue'
import { createBackend, type Backend } from '../../../playground/backend/index.ts'
import { noFindings, type Benchmark, type Findings } from '../benchmark.ts'
import { compare, spreadOf } from '../harness.ts'
import { openClient, type Traffic, type WatchedClient } from './client.ts'

const roundTripMs = 50
const flow = new Flow<{ text: string }>({ slug: 'greet' }).step(
  { slug: 'only' },
  ({ run }) => run.text,
)
/** Time enough for either to connect again: supabase-js tries after 1, 2, 5 and 10 s. */
const patienceMs = 20_000

/** Somebody who shows runs. */
interface Viewer {
  /** Resolves when all are followed. */
  follow: (runIds: readonly string[]) => Promise<void>
  /** How many of the runs it shows as completed. */
  completed: () => number
  leave: () => void
}

export const benchmark: Benchmark = {
  name: 'reconnect',
  about:
    `The connection is cut, runs that are followed complete meanwhile, and it comes back: until ` +
    `all are shown as completed, at a round trip of ${roundTripMs} ms. The first attempt to connect ` +
    'again is that of supabase-js, a second after the cut or later, and is part of the time. ' +
    'Requests, joins and bytes are counted from the moment at which the network is back.',
  async run(rounds) {
    const findings = noFindings()
    const ours = await boot('full')
    const theirs = await boot('pgflow')
    await theirs.db.exec(`
      grant usage on schema pgflow to anon;
      grant execute on function pgflow.get_run_with_states(uuid) to anon;
      grant select on pgflow.runs, pgflow.step_states, pgflow.flows, pgflow.steps to anon;
    `)
    try {
      for (const count of [1, 100, 500]) {
        const title = `${count} run${count === 1 ? '' : 's'}`
        const traffic: Traffic[] = []
        const measure = async () => {
          const seen = await cutAndMend(ours, count, showOurs)
          if (seen.completed < count) throw new Error(`${seen.completed} of ${count} are right.`)
          traffic.push(seen)
          return seen.ms
        }
        const variants = [{ name: 'pinia-pgflow', measure }]
        findings.comparisons[title] = await compare(variants, rounds(5), [])
        reportTraffic(findings, `${title}, pinia-pgflow`, traffic.slice(1))
      }
      for (const count of [1, 100]) {
        const seen = await quietly(() => cutAndMend(theirs, count, showTheirs))
        const title = `${count} run${count === 1 ? '' : 's'}, @pgflow/client`
        reportTraffic(findings, title, [seen])
        findings.facts[`${title}, right after ${patienceMs / 1000} s`] = seen.completed
      }
    } finally {
      await Promise.all([ours.close(), theirs.close()])
    }
    return findings
  },
}

function reportTraffic({ facts }: Findings, title: string, seen: readonly Traffic[]): void {
  const median = (key: keyof Traffic) => Math.round(spreadOf(seen.map((one) => one[key])).median)
  facts[`${title}, requests`] = median('requests')
  facts[`${title}, snapshot requests`] = median('snapshots')
  facts[`${title}, joins`] = median('joins')
  facts[`${title}, bytes`] = median('bytes')
}

async function boot(level: 'full' | 'pgflow'): Promise<Backend> {
  return createBackend({
    flows: [flow],
    database: { level },
    schemas: ['public', level === 'full' ? 'pgflow_client' : 'pgflow'],
    worker: { maxConcurrent: 100, batchSize: 100 },
  })
}

/** What it came to until all was shown, or the time was over. */
async function cutAndMend(
  backend: Backend,
  count: number,
  show: (client: WatchedClient) => Viewer,
): Promise<Traffic & { ms: number; completed: number }> {
  backend.worker.pause()
  const runIds = await startRuns(backend, count)
  const client = await openClient(backend, roundTripMs)
  const viewer = show(client)
  await viewer.follow(runIds)
  client.road.cut()
  backend.worker.resume()
  await untilCompleted(backend, runIds)

  const before = client.traffic()
  const started = performance.now()
  client.road.mend()
  while (viewer.completed() < count && performance.now() - started < patienceMs) await wait(5)
  const ms = performance.now() - started
  // What follows the truth is of the same reconnect: joins that were refused, reads after them.
  await wait(1_000)
  const after = client.traffic()
  const completed = viewer.completed()
  viewer.leave()
  await client.close()
  return {
    ms,
    completed,
    requests: after.requests - before.requests,
    snapshots: after.snapshots - before.snapshots,
    joins: after.joins - before.joins,
    bytes: after.bytes - before.bytes,
  }
}

async function startRuns({ db }: Backend, count: number): Promise<string[]> {
  const rows = await db.query<{ run_id: string }>(
    `select (pgflow.start_flow('greet', '{"text": "A short input."}')).run_id
     from generate_series(1, $1::int)`,
    [count],
  )
  return rows.map(({ run_id }) => run_id)
}

async function untilCompleted({ db }: Backend, runIds: readonly string[]): Promise<void> {
  for (;;) {
    const [row] = await db.query<{ left: number }>(
      `select count(*)::int as left from pgflow.runs
       where run_id = any ($1::uuid[]) and status <> 'completed'`,
      [runIds],
    )
    if (row?.left === 0) return
    await wait(100)
  }
}

function showOurs({ supabase }: WatchedClient): Viewer {
  const pinia = createPinia()
  const app = createApp({ render: () => null })
  app.use(pinia)
  app.use(createPgflow({ supabase, ssr: false }))
  const store = usePgflowStore(pinia)
  let followed: readonly string[] = []
  let leave: (() => void)[] = []
  return {
    async follow(runIds) {
      followed = runIds
      leave = runIds.map((runId) => store.observeRun(runId).release)
      const isFollowed = (runId: string) =>
        ['live', 'polling'].includes(store.connections[runId]?.status ?? '') && runId in store.runs
      while (!runIds.every(isFollowed)) await wait(10)
    },
    completed: () => followed.filter((runId) => store.runs[runId]?.status === 'completed').length,
    leave: () => leave.forEach((stop) => stop()),
  }
}

function showTheirs({ supabase }: WatchedClient): Viewer {
  const client = new PgflowClient(supabase)
  let runs: { status: string }[] = []
  return {
    async follow(runIds) {
      const read = await Promise.all(runIds.map((runId) => client.getRun<typeof flow>(runId)))
      runs = read.filter((run) => run !== null)
    },
    completed: () => runs.filter(({ status }) => status === 'completed').length,
    leave: () => client.disposeAll(),
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
