import type { AnyFlow } from '../../src/flow-types.ts'
import { AppTime } from './app-time.ts'
import { listOf } from './shown-list.ts'
import * as bounds from './bounds.ts'
import { SimulatedChannels } from './channels.ts'
import { Client } from './client.ts'
import { createRandom } from '../support/virtual-clock.ts'
import { Received } from './received.ts'
import { runIdOf } from './flows.ts'
import { Requests } from './requests.ts'
import { TestPageActivity } from '../../src/testing/test-page-activity.ts'
import { createTransport } from './transport.ts'
import type { World } from './world.ts'

/** How long a server may take for a page. */
const renderTime = bounds.snapshotTimeout + 2_000

/**
 * Renders the page on a server: each run is read once, and nothing is left behind. The state as
 * JSON.
 */
export async function renderOnServer(world: World): Promise<string> {
  const { clock, conditions, truth, session, plan, journal, violate } = world
  const network = {
    clock,
    conditions,
    latency: plan.latency,
    journal,
    random: createRandom(plan.seed + 5),
  }
  const time = new AppTime(clock, conditions, createRandom(plan.seed + 6))
  const received = new Received()
  const requests = new Requests({ ...network, onSent: () => {} })
  const nothing = () => violate('left', 'a server opens a channel')
  const channels = new SimulatedChannels({
    ...{
      ...network,
      mayListen: () => true,
      onArrived: nothing,
      onJoined: nothing,
      onOpened: nothing,
      onClosed: nothing,
      onFed: nothing,
      onFeedLeft: nothing,
      onCall: nothing,
    },
  })
  const transport = createTransport({
    ...{
      truth,
      mode: plan.mode,
      requests,
      channels,
      conditions,
      session,
      received,
      now: clock.now,
    },
  })
  const pageActivity = new TestPageActivity()
  const client = new Client({
    ...{ transport, pageActivity, state: null, options: { ssr: true, scheduler: time } },
    onComplaint: (text) => violate('complaint', `on a server: ${text}`),
  })
  const reads = rendersOf(client, plan.runs)
  const open = new Set(reads)
  for (const read of reads) void read.catch(() => undefined).then(() => open.delete(read))
  const end = clock.time + renderTime
  while (open.size > 0 && clock.time < end) await clock.advance(100)
  if (open.size > 0) violate('calls', 'a server waits for ever')
  const state = client.serialise()
  client.unmount()
  await clock.advance(0)
  if (time.pending + requests.open.size + pageActivity.watchers > 0) {
    violate('left', 'a server is left with timers, requests or listeners')
  }
  return state
}

function rendersOf({ store, lists }: Client, runs: number): Promise<unknown>[] {
  const reads = Array.from({ length: Math.min(runs, 3) }, (_, run) =>
    store.refreshRun(runIdOf(run)),
  )
  const { ready, release } = lists.observeRuns<AnyFlow>(
    listOf({ flow: null, status: null, pageSize: 5 }),
  )
  return [...reads, ready.finally(release)]
}
