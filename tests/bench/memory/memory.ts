import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { PgflowClient } from '@pgflow/client'
import { createPinia } from 'pinia'
import { createPgflow, usePgflowStore, useRun } from 'pinia-pgflow'
import { createApp, defineComponent, h, shallowRef } from 'vue'
import { openLoopback } from '../apply/loopback.ts'
import { runIdOf, snapshotOf } from '../apply/rows.ts'
import { noFindings, type Benchmark } from '../benchmark.ts'
import { spreadOf } from '../harness.ts'

const runs = 1_000
const steps = 10
const cycles = 1_000

/** Somebody who holds runs. */
interface Holder {
  follow: (runIds: readonly string[]) => Promise<void>
  /** Shows a run and leaves it, as a page does that is opened and closed. */
  cycle: (runId: string) => Promise<void>
  /** How many channels of supabase-js are open. */
  channels: () => number
}

export const benchmark: Benchmark = {
  name: 'memory',
  about:
    `What JavaScript's heap holds when everything that is free was collected: for each of ` +
    `${runs.toLocaleString('en')} runs of ${steps} steps that are followed at once, each on a ` +
    'channel of its own, supabase-js included; for each run that was shown before and that nobody ' +
    `shows any more; and for each of ${cycles.toLocaleString('en')} ` +
    'times that a page with one of ten runs was opened and closed.',
  async run(rounds) {
    const findings = noFindings()
    // @pgflow/client tells the console what its channels do.
    const { log } = console
    console.log = () => {}
    try {
      const holders = [
        ['pinia-pgflow', openOurs],
        ['@pgflow/client', openTheirs],
      ] as const
      // Before anything else: what earlier measures held would be set free meanwhile. Once, as each
      // visit waits for a join and for the snapshot after it, a tenth of a second.
      for (const [name, open] of holders) {
        const holder = open()
        const left = await weighVisits(holder, cycles, (index) => runIdOf(index % 10))
        findings.facts[`a page that is opened and closed again, ${name}, kB`] = kilobytes(left)
        const visited = await weighVisits(holder, cycles / 4, (index) => runIdOf(10 + index))
        findings.facts[`a run that was shown once, ${name}, kB`] = kilobytes(visited)
      }
      for (const [name, open] of holders) {
        const followed: number[] = []
        for (let round = 0; round < rounds(3); round += 1) followed.push(await weighRuns(open()))
        findings.facts[`a run that is followed, ${name}, kB`] = kilobytes(spreadOf(followed).median)
      }
    } finally {
      console.log = log
    }
    return findings
  },
}

/** Bytes for each run. */
async function weighRuns(holder: Holder): Promise<number> {
  // What the first ones need is for all.
  await holder.follow(ids(0, 10))
  const before = await heap()
  await holder.follow(ids(10, runs))
  if (holder.channels() !== runs + 10) throw new Error(`${holder.channels()} channels are open.`)
  return ((await heap()) - before) / runs
}

/** Bytes for each page that was opened and closed. */
async function weighVisits(
  holder: Holder,
  count: number,
  idOf: (index: number) => string,
): Promise<number> {
  // Meanwhile code is compiled, which counts as held.
  for (let index = 0; index < 900; index += 1) await holder.cycle(runIdOf(index % 10))
  const before = await heap()
  for (let index = 0; index < count; index += 1) await holder.cycle(idOf(index))
  if (holder.channels() > 0) throw new Error(`${holder.channels()} channels are still open.`)
  return ((await heap()) - before) / count
}

const ids = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, index) => runIdOf(first + index))

/** What is reachable, in bytes. */
async function heap(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // Once more for what the first round sets free, such as by finalizers.
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    collect()
  }
  return process.memoryUsage().heapUsed
}

function kilobytes(bytes: number): number {
  return Math.round(bytes / 10) / 100
}

function openOurs(): Holder {
  const { supabase } = openLoopback((name, { p_run_ids: ids, p_run_id: id }) => {
    if (name === 'get_run_seqs') return {}
    return (Array.isArray(ids) ? ids : [id]).map((each) => snapshotOf(String(each), steps, 1))
  })
  const pinia = createPinia()
  const shown = shallowRef<string>()
  const Page = defineComponent(() => {
    const { run, steps } = useRun(shown)
    return () => h('p', `${run.value?.status} ${steps.value.length}`)
  })
  const element = document.createElement('div')
  const app = createApp(() => (shown.value === undefined ? null : h(Page, { key: shown.value })))
  // The channel of what nobody shows is left at once.
  app.use(pinia).use(createPgflow({ supabase, gcTime: 0, maxChannels: 10_000 }))
  app.mount(element)
  const store = usePgflowStore(pinia)
  return {
    async follow(runIds) {
      for (const runId of runIds) store.observeRun(runId)
      await until(() => runIds.every((runId) => store.connections[runId]?.status === 'live'))
    },
    async cycle(runId) {
      shown.value = runId
      await until(() => store.connections[runId]?.status === 'live')
      shown.value = undefined
      await until(() => supabase.getChannels().length === 0)
    },
    channels: () => supabase.getChannels().length,
  }
}

function openTheirs(): Holder {
  const { supabase } = openLoopback((_name, { run_id: id }) => snapshotOf(String(id), steps, 1))
  const client = new PgflowClient(supabase, { realtimeStabilizationDelayMs: 0 })
  const held: unknown[] = []
  return {
    async follow(runIds) {
      for (const runId of runIds) {
        const run = await client.getRun(runId)
        // A page shows its steps.
        held.push(
          run,
          snapshotOf(runId, steps, 1).steps.map(({ step_slug: slug }) => run?.step(slug)),
        )
      }
    },
    async cycle(runId) {
      const run = await client.getRun(runId)
      if (run === null) throw new Error('The run is not there.')
      client.dispose(runId)
      await until(() => supabase.getChannels().length === 0)
    },
    channels: () => supabase.getChannels().length,
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}
