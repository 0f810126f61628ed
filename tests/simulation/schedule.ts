import { isSameJson } from '../../src/model/merge.ts'
import { isTerminal, stepKey, type PgflowStep } from '../../src/model/entities.ts'
import { createRunTable } from '../../src/run-table.ts'
import { SyncManager, type RunObservation } from '../../src/sync/sync-manager.ts'
import { createRandom, settle, VirtualClock } from './clock.ts'
import { noFaults, SimulatedNetwork, type FaultRates } from './network.ts'

/** What one schedule came to. */
export interface ScheduleResult {
  seed: number
  steps: number
  /** What did not hold; empty when all did. */
  violations: string[]
}

/**
 * Plays one random schedule: runs are started and observed, work is done, and everything that can
 * go wrong does. One period of the watchdog after the last fault, the store must equal the database.
 */
export async function playSchedule(seed: number): Promise<ScheduleResult> {
  const random = createRandom(seed)
  const clock = new VirtualClock(random)
  const network = new SimulatedNetwork(clock, randomFaults(random))
  const { sink, ...state } = createRunTable()
  const surroundings = createSurroundings()
  const maxChannels = random() < 0.3 ? 1 : 90
  const manager = new SyncManager({
    transport: network,
    scheduler: clock,
    surroundings,
    sink,
    times: { startTimeout: 5_000, snapshotTimeout: 1_000, gcTime: 500 },
    maxChannels,
    isServer: false,
    report: () => {},
  })
  const violations: string[] = []
  const held = new Map<string, string>()
  const check = () => violations.push(...invariantsBroken(state, network, held))

  const observations = new Map<string, RunObservation>()
  const runIds = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) => `run-${index}`)
  for (const runId of runIds) {
    clock.after(random() * 500, () => {
      const request = { flowSlug: 'f', input: { of: runId } }
      manager.start(runId, request).catch(() => network.database.start(runId, 'f', request.input))
      observations.set(runId, manager.observe(runId))
    })
    clock.after(random() * 3_000, () => {
      observations.get(runId)?.release()
      observations.set(runId, manager.observe(runId))
    })
    const workLater = (): void => {
      clock.after(random() * 400, () => {
        network.database.work(runId)
        if (clock.time < 20_000) workLater()
      })
    }
    workLater()
  }
  clock.after(15_000, () => (network.faults = noFaults))

  for (const at of [2_000, 6_000, 11_000]) {
    if (random() < 0.5) clock.after(at + random() * 3_000, () => surroundings.toggle())
  }
  clock.after(15_000, () => surroundings.restore())

  let steps = 0
  const playUntil = async (time: number) => {
    while (clock.time < time && (await clock.step())) {
      steps += 1
      check()
    }
  }
  await playUntil(25_000)
  // Nobody has given up on any of them: what failed for good is observed anew.
  for (const runId of runIds) observations.set(runId, manager.observe(runId))
  // The longest wait of the watchdog, and time for what it asks.
  await playUntil(25_000 + 60_000 * 1.25 + 5_000)
  await settle()
  for (const runId of runIds) violations.push(...divergences(state, network, runId))
  for (const observation of observations.values()) observation.release()
  manager.dispose()
  await settle()
  if (clock.pending > 0) violations.push('a timer is left')
  if (surroundings.watchers > 0) violations.push('a listener is left')
  if (network.openChannels > 0) violations.push('a channel is left open')
  return { seed, steps, violations }
}

/** A page that is hidden or without network now and then. */
function createSurroundings() {
  const watchers = new Set<() => void>()
  let isGood = true
  const become = (good: boolean) => {
    isGood = good
    for (const watcher of watchers) watcher()
  }
  return {
    isVisible: () => isGood,
    isOnline: () => isGood,
    watch(onChange: () => void) {
      watchers.add(onChange)
      return () => void watchers.delete(onChange)
    },
    toggle: () => become(!isGood),
    restore: () => become(true),
    get watchers() {
      return watchers.size
    },
  }
}

type State = Omit<ReturnType<typeof createRunTable>, 'sink'>

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

/** Nothing is shown that the database has not, an end is never taken back, no output is lost. */
function invariantsBroken(state: State, network: SimulatedNetwork, held: Map<string, string>) {
  const broken: string[] = []
  const compare = (key: string, shown: { status: string; output: unknown }, true_: string) => {
    if (isTerminal(shown.status) && shown.status !== true_) {
      broken.push(`${key} is shown as ${shown.status} but is ${true_}`)
    }
    const before = held.get(key)
    const now = `${shown.status} ${shown.output === null ? 'without' : 'with'} output`
    if (before !== undefined && isTerminal(before.split(' ')[0] ?? '') && before !== now) {
      broken.push(`${key} was ${before}, then ${now}`)
    }
    held.set(key, now)
  }
  for (const run of Object.values(state.runs.value)) {
    const truth = network.database.snapshot(run.run_id)
    compare(run.run_id, run, truth?.run.status ?? 'absent')
    for (const step of truth?.steps ?? []) {
      const shown = state.steps.value[stepKey(run.run_id, step.step_slug)]
      if (shown) compare(stepKey(run.run_id, step.step_slug), shown, step.status)
    }
  }
  return broken
}

function divergences(state: State, network: SimulatedNetwork, runId: string): string[] {
  const truth = network.database.snapshot(runId)
  if (!truth) return [`${runId} was never started`]
  const order = state.stepOrder.value[runId] ?? []
  const steps = order.flatMap((slug): PgflowStep[] => {
    const step = state.steps.value[stepKey(runId, slug)]
    return step ? [step] : []
  })
  const connection = state.connections.value[runId]
  const isSame = isSameJson(state.runs.value[runId], truth.run) && isSameJson(steps, truth.steps)
  const expected = isTerminal(truth.run.status) ? ['closed'] : ['live', 'polling']
  return [
    ...(isSame
      ? []
      : [`${runId} differs: ${JSON.stringify([state.runs.value[runId], truth.run])}`]),
    ...(expected.includes(connection?.status ?? 'unknown')
      ? []
      : [`${runId} (${truth.run.status}) is ${connection?.status ?? 'unknown'}`]),
    ...(connection?.error ? [`${runId} keeps the error ${connection.error.code}`] : []),
    ...(connection?.seq === truth.seq
      ? []
      : [`${runId} is at ${connection?.seq}, not ${truth.seq}`]),
  ]
}
