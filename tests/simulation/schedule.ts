import { createRunTable } from '../../src/engine/run-table.ts'
import { Runs } from '../../src/sync/runs.ts'
import { SimulatedApp } from './app.ts'
import { createRandom, settle, VirtualClock } from './clock.ts'
import { Witness } from './invariants.ts'
import { noFaults, SimulatedNetwork, type FaultRates } from './network.ts'
import { SimulatedSurroundings } from './surroundings.ts'

/** What one schedule came to. */
export interface ScheduleResult {
  seed: number
  steps: number
  /** What did not hold; empty when all did. */
  violations: string[]
}

/** Until when, in ms, things go wrong, the app is restless, and work is done. */
const lastFault = 15_000
const lastWake = 9_000
const lastWork = 20_000
/** How long a request and its answer take at most. */
const longestTrip = 450
/** How long a call to the sync takes at most, and what it leaves behind. */
const longestCall = 10_000
/** The longest wait of the watchdog, and time for what it asks. */
const longestWatch = 60_000 * 1.25 + 5_000

/**
 * Plays one random schedule: runs are started, observed, refreshed, let go of and removed, work is
 * done, and everything that can go wrong does. What the store claims must be true at any moment;
 * one period of the watchdog after the last fault it must equal the database; and when all is let
 * go, nothing is left.
 */
export async function playSchedule(seed: number): Promise<ScheduleResult> {
  const unhandled: string[] = []
  const onUnhandled = (reason: unknown) => unhandled.push(`unhandled: ${String(reason)}`)
  process.on('unhandledRejection', onUnhandled)
  try {
    const result = await play(seed)
    // Node tells of unhandled rejections when all promises have had their turn.
    await new Promise((resolve) => setImmediate(resolve))
    result.violations.push(...unhandled)
    return result
  } finally {
    process.off('unhandledRejection', onUnhandled)
  }
}

async function play(seed: number): Promise<ScheduleResult> {
  const world = createWorld(seed)
  const { clock, network, surroundings, manager, app, witness } = world
  const count = 1 + Math.floor(clock.random() * 3)
  const runIds = Array.from({ length: count }, (_, index) => `run-${index}`)
  const isRestless = clock.random() < 0.6
  for (const runId of runIds) {
    plan(runId, { clock, network, app, isRestless })
  }
  for (const at of [1_000, 3_500, 6_000]) {
    if (clock.random() < 0.5) clock.after(at + clock.random() * 2_500, () => surroundings.toggle())
  }
  // Well before the last fault: nothing wakes those up who have stopped asking.
  clock.after(lastWake, () => surroundings.restore())
  clock.after(lastFault, () => {
    // Loss without a trace goes on: only asking finds it.
    network.faults = { ...noFaults, dropMessage: network.faults.dropMessage }
    // A start that was given up has reached the database all the same.
    for (const runId of runIds) network.database.start(runId, 'f', { of: runId })
  })

  const violations: string[] = []
  let steps = 0
  const playUntil = async (time: number) => {
    while (clock.time < time && violations.length === 0 && (await clock.step())) {
      steps += 1
      violations.push(...witness.check(runIds))
    }
  }
  await playUntil(lastWork + 5_000)
  // Whoever observes a run goes on doing so; what nobody observes, or came too early, starts anew.
  for (const runId of runIds) {
    if (!app.observes(runId) || witness.isRefused(runId)) app.observe(runId)
  }
  await playUntil(lastWork + 5_000 + longestWatch)
  await settle()
  if (violations.length === 0) violations.push(...witness.divergences(runIds))

  if (clock.random() < 0.5) {
    for (const runId of runIds) app.leave(runId)
    await clock.advance(longestCall)
    violations.push(...leftovers(world))
  }
  // The app ends in the middle of everything.
  for (const runId of runIds) {
    if (clock.random() < 0.5) app.doSomething(runId)
    app.refresh(runId)
    app.start(runId)
  }
  await clock.advance(clock.random() * 200)
  manager.dispose()
  const asked = network.requests
  // What the network carries arrives; nothing else is to happen any more.
  await clock.advance(longestTrip)
  violations.push(...leftovers(world))
  if (network.requests > asked) violations.push('something is asked after the end')
  return { seed, steps, violations: [...violations, ...app.violations] }
}

/** Everything there is, before anything happens. */
function createWorld(seed: number) {
  const random = createRandom(seed)
  const clock = new VirtualClock(random)
  const network = new SimulatedNetwork(clock, randomFaults(random))
  const surroundings = new SimulatedSurroundings()
  const { state: sink, ...state } = createRunTable()
  network.maxChannels = random() < 0.3 ? 1 : 90
  // Shorter than most answers take, and longer than any.
  const gcTime = [0, 50, 500][Math.floor(random() * 3)] ?? 0
  const manager = new Runs({
    transport: network,
    scheduler: clock,
    surroundings,
    state: sink,
    times: { startTimeout: 5_000, snapshotTimeout: 1_000, gcTime, stallAfter: 30_000 },
    maxChannels: network.maxChannels,
    isServer: false,
    report: () => {},
  })
  const onRemove = (runId: string) => witness.forget(runId)
  const app: SimulatedApp = new SimulatedApp({ manager, clock, network, sink, onRemove })
  const witness: Witness = new Witness(state, network, (runId) => app.observes(runId))
  return { clock, network, surroundings, manager, app, witness }
}

/** What is there although nothing is followed any more. */
function leftovers({ clock, network, surroundings, app }: ReturnType<typeof createWorld>) {
  return [
    ...(clock.pending > 0 ? ['a timer is left'] : []),
    ...(surroundings.watchers > 0 ? ['a listener is left'] : []),
    ...(network.openChannels > 0 ? ['a channel is left open'] : []),
    ...(app.openCalls > 0 ? ['a call is never answered'] : []),
  ]
}

interface Plan {
  clock: VirtualClock
  network: SimulatedNetwork
  app: SimulatedApp
  isRestless: boolean
}

/** The life of one run: it is started and observed, worked on, and whatever the app does to it. */
function plan(runId: string, { clock, network, app, isRestless }: Plan): void {
  const { random } = clock
  clock.after(random() * 500, () => {
    app.start(runId)
    app.observe(runId)
  })
  clock.after(random() * 3_000, () => app.observe(runId))
  const pace = random() < 0.5 ? 400 : 4_000
  const work = (): void => {
    network.database.work(runId)
    if (clock.time < lastWork) clock.after(random() * pace, work)
  }
  clock.after(random() * pace, work)
  if (!isRestless) return
  const meddle = (): void => {
    app.doSomething(runId)
    if (clock.time < lastFault) clock.after(random() ** 2 * 2_000, meddle)
  }
  clock.after(500 + random() * 2_000, meddle)
}

function randomFaults(random: () => number): FaultRates {
  const rate = (max: number) => (random() < 0.5 ? random() * max : 0)
  return {
    dropMessage: rate(0.3),
    duplicateMessage: rate(0.3),
    reorderMessage: rate(0.4),
    malformMessage: rate(0.1),
    failRequest: rate(0.4),
    loseReply: rate(0.3),
    hangRequest: rate(0.2),
    staleSnapshot: rate(0.3),
    dropConnection: rate(0.8),
  }
}
