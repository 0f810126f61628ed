import { makeFault, makeFaults } from './make-faults.ts'
import { makeEnds } from './make-ends.ts'
import { eachRun, finish, makeLists, makeQuery, makeWork, type PlanScope } from './make-plan.ts'
import { makeListRemounts, makeRunRemounts } from './make-remounts.ts'
import type { AppEntry, Entry, FaultEntry, Mode, Plan, RequestFate } from './plan.ts'
import { between, chance, pick, wholeBetween, type Random } from './random.ts'

// Schedules in which one promise is looked at: nothing else disturbs.

/** When the hour begins in which nothing happens, and how long it is, in ms. */
export const quietFrom = 60_000
export const quietHour = 3_600_000
/** When a stranger begins to send, in ms. */
export const floodFrom = 2_000
/** From when on no request gets a response, in ms. */
export const outageFrom = 5_000

/** A special schedule, now and then. */
export function profileOf(random: Random, seed: number): Plan | null {
  const dice = random()
  if (dice < 0.1) return silent(random, seed)
  if (dice < 0.13) return flood(random, seed)
  if (dice < 0.16) return outage(random, seed)
  if (dice < 0.168) return quiet(random, seed)
  if (dice < 0.2) return stale(random, seed)
  if (dice < 0.22) return unseen(random, seed)
  if (dice < 0.225) return many(random, seed)
  if (dice < 0.33) return remounts(random, seed)
  return dice < 0.36 ? makeEnds(random, seed) : null
}

const counted = (random: Random): Mode => (chance(random, 0.5) ? 'public' : 'private')

function observed(run: number, at: number): Entry[] {
  const observe: AppEntry = { at, group: 'app', app: 'observe', run, via: 'store', slot: run }
  return [{ at: 0, group: 'work', work: 'seed', run }, observe]
}

/** Channels are joined, and messages are lost without an error; requests work. */
function silent(random: Random, seed: number): Plan {
  const span = between(random, 20_000, 60_000)
  const scope: PlanScope = { random, mode: counted(random), runs: wholeBetween(random, 1, 3), span }
  const faults = Array.from({ length: wholeBetween(random, 1, 3) }, () => {
    const fault = makeFault(scope, chance(random, 0.5) ? 'silent' : 'messages')
    return { ...fault, at: fault.at + 3_000, until: fault.until + 3_000 }
  })
  const lists = chance(random, 0.3) ? makeLists(scope) : []
  const entries = eachRun(scope.runs, (run) => [
    ...observed(run, between(random, 0, 500)),
    ...makeWork(scope, run).filter(({ work }) => work === 'step'),
  ])
  const plan = finish(seed, 'silent', scope, [...entries, ...faults, ...lists])
  return { ...plan, maxChannels: 90, isRendered: false }
}

/** A stranger sends many messages on a public channel. */
function flood(random: Random, seed: number): Plan {
  const span = between(random, 10_000, 20_000)
  const scope: PlanScope = { random, mode: 'public', runs: 1, span }
  const how = pick(random, ['malformed', 'end', 'next-seq', 'absurd-seq', 'old-seq'] as const)
  const fault: FaultEntry = {
    ...{ at: floodFrom, until: span, group: 'fault', fault: 'forged', run: 0, how },
    every: pick(random, [20, 100, 500] as const),
  }
  const work = makeWork(scope, 0, pick(random, [600, 3_000, 10_000] as const))
  const entries = [...observed(0, 100), ...work.filter(({ work }) => work === 'step')]
  return {
    ...finish(seed, 'flood', scope, [...entries, fault]),
    maxChannels: 90,
    isRendered: false,
  }
}

/** No request gets a response for minutes. */
function outage(random: Random, seed: number): Plan {
  const scope: PlanScope = {
    random,
    mode: counted(random),
    runs: wholeBetween(random, 1, 2),
    span: 330_000,
  }
  const how = pick<RequestFate>(random, [
    { fate: 'refused', code: 'unreachable' },
    { fate: 'refused', code: 'server_error' },
    { fate: 'refused', code: 'rate_limited' },
    { fate: 'hangs' },
    { fate: 'lost' },
  ])
  const kinds = ['start', 'read', 'probe', 'list', 'flow'] as const
  const fault: FaultEntry = {
    ...{ at: outageFrom, until: 310_000, group: 'fault', fault: 'requests', kinds, rate: 1, how },
  }
  const isDown: FaultEntry = { at: 5_100, until: 5_100, group: 'fault', fault: 'cut', rate: 1 }
  const entries = eachRun(scope.runs, (run) => observed(run, between(random, 0, 500)))
  const faults = chance(random, 0.5) ? [fault, isDown] : [fault]
  const work = chance(random, 0.5) ? makeWork({ ...scope, span: 300_000 }, 0) : []
  const ofWork = work.filter(({ work }) => work === 'step')
  const plan = finish(seed, 'outage', scope, [...entries, ...faults, ...ofWork])
  return { ...plan, maxChannels: 90, isRendered: false, latency: 100 }
}

/** Runs are followed, and nothing happens to them for an hour. */
function quiet(random: Random, seed: number): Plan {
  const hour = quietFrom + quietHour + 10_000
  const scope: PlanScope = {
    random,
    mode: counted(random),
    runs: wholeBetween(random, 1, 3),
    span: hour,
  }
  const entries = eachRun(scope.runs, (run) => observed(run, between(random, 0, 500)))
  // Something has to be there that ends the hour.
  const last: Entry = { at: hour, group: 'app', app: 'flow', flow: 0 }
  const plan = finish(seed, 'quiet', scope, [...entries, last])
  return { ...plan, maxChannels: 90, isRendered: false }
}

/** A busy run, whose reads fail or come from a replica that is behind. */
function stale(random: Random, seed: number): Plan {
  const span = between(random, 3_000, 12_000)
  const scope: PlanScope = { random, mode: counted(random), runs: wholeBetween(random, 1, 2), span }
  const entries = eachRun(scope.runs, (run) => [
    ...observed(run, between(random, 0, span / 2)),
    ...makeWork(scope, run, pick(random, [150, 400, 1_000] as const)),
  ])
  const window = { at: 0, group: 'fault', until: span * between(random, 0.5, 1.5) } as const
  const faults: FaultEntry[] = [
    {
      ...window,
      fault: 'replica',
      lag: between(random, 300, 6_000),
      rate: between(random, 0.3, 1),
    },
    {
      ...{ ...window, fault: 'requests', kinds: ['read'], rate: between(random, 0, 0.6) },
      how: chance(random, 0.5) ? { fate: 'lost' } : { fate: 'refused', code: 'unreachable' },
    },
    makeFault(scope, 'messages'),
  ]
  return finish(seed, 'stale', scope, [...entries, ...faults])
}

/** Runs end while nobody sees the page, and the reads that confirm it fail. */
function unseen(random: Random, seed: number): Plan {
  const span = between(random, 3_000, 8_000)
  const scope: PlanScope = { random, mode: counted(random), runs: wholeBetween(random, 1, 2), span }
  const entries = eachRun(scope.runs, (run) => [
    ...observed(run, between(random, 0, 500)),
    ...makeWork(scope, run, 300).filter(({ work }) => work === 'step'),
  ])
  const hidden = { at: 1_000, group: 'fault', until: 300_000, fault: 'hidden' } as const
  const failing: FaultEntry = {
    ...{ at: 1_000, group: 'fault', until: span + 1_000, fault: 'requests', kinds: ['read'] },
    ...{ rate: between(random, 0.3, 1), how: { fate: 'refused', code: 'unreachable' } },
  }
  return finish(seed, 'unseen', scope, [...entries, hidden, failing, makeFault(scope, 'messages')])
}

/** Many runs on few or many channels. */
function many(random: Random, seed: number): Plan {
  const span = between(random, 5_000, 15_000)
  const runs = wholeBetween(random, 20, 100)
  const scope: PlanScope = { random, mode: counted(random), runs, span }
  const entries = eachRun(runs, (run) => [
    ...observed(run, between(random, 0, 2_000)),
    ...makeWork(scope, run).slice(0, 3),
  ])
  const faults = makeFaults(scope, wholeBetween(random, 0, 2))
  const plan = finish(seed, 'many', scope, [...entries, ...faults])
  return { ...plan, maxChannels: pick(random, [10, 90] as const), isRendered: false }
}

/**
 * Components come and go, by turns and at any moment, while requests and messages are lost or late.
 */
function remounts(random: Random, seed: number): Plan {
  const span = between(random, 4_000, 20_000)
  const mode = chance(random, 0.9) ? counted(random) : 'plain'
  const scope: PlanScope = { random, mode, runs: wholeBetween(random, 1, 3), span }
  const entries = eachRun(scope.runs, (run): Entry[] => [
    { at: 0, group: 'work', work: 'seed', run },
    ...makeWork(scope, run),
    ...makeRunRemounts(scope, run),
  ])
  const lists = wholeBetween(random, 0, 2)
  const ofLists = Array.from({ length: lists }, (_, list) =>
    makeListRemounts(scope, makeQuery(random), 100 + list),
  )
  const faults = makeFaults(scope, wholeBetween(random, 0, 4))
  return finish(seed, 'remounts', scope, [...entries, ...ofLists.flat(), ...faults])
}
