import { createRandom } from '../support/virtual-clock.ts'
import { makeFaults } from './make-faults.ts'
import { makeRemount, vias } from './make-remounts.ts'
import { profileOf } from './make-profile.ts'
import type { AppEntry, Entry, ListPlan, Mode, Plan, WorkEntry } from './plan.ts'
import { between, chance, pick, wholeBetween, type Random } from './random.ts'

/** What the parts of a schedule are made for. */
export interface PlanScope {
  random: Random
  mode: Mode
  runs: number
  /** For how long the app is restless and work is done, in ms. */
  span: number
}

/** The schedule of a seed. */
export function makePlan(seed: number): Plan {
  const random = createRandom(seed)
  const special = profileOf(random, seed)
  if (special) return special
  const isOfLists = chance(random, 0.15)
  const scope: PlanScope = {
    random,
    mode: makeMode(random),
    runs: isOfLists ? wholeBetween(random, 3, 8) : wholeBetween(random, 1, 4),
    span: between(random, 4_000, 20_000),
  }
  const entries = [
    ...eachRun(scope.runs, (run) => makeRun(scope, run)),
    ...makeFaults(scope, chance(random, 0.15) ? 0 : wholeBetween(random, 1, 6)),
    ...(isOfLists || chance(random, 0.35) ? makeLists(scope) : []),
    ...makeWholes(scope),
  ]
  return finish(seed, isOfLists ? 'lists' : 'mixed', scope, entries)
}

/** Decides what else belongs to a schedule of these entries. */
export function finish(
  seed: number,
  profile: Plan['profile'],
  { random, mode, runs }: PlanScope,
  entries: readonly Entry[],
): Plan {
  const untils = entries.map((entry) => (entry.group === 'fault' ? entry.until : entry.at))
  return {
    ...{ seed, profile, mode, runs },
    gcTime: pick(random, [0, 50, 500, 5_000] as const),
    maxChannels: chance(random, 0.25) ? wholeBetween(random, 1, 2) : 90,
    latency: pick(random, [30, 100, 200] as const),
    isRendered: chance(random, 0.12) && !entries.some(keepsFromRunning),
    isTidy: chance(random, 0.5),
    end: Math.max(0, ...untils),
    entries: [...entries].sort((a, b) => a.at - b.at),
  }
}

/** A fault of the device: a server has none of it. */
function keepsFromRunning(entry: Entry): boolean {
  return entry.group === 'fault' && (entry.fault === 'asleep' || entry.fault === 'throttled')
}

/** What is made for each run. */
export function eachRun<T>(runs: number, make: (run: number) => T[]): T[] {
  return Array.from({ length: runs }, (_, run) => make(run)).flat()
}

function makeMode(random: Random): Mode {
  const dice = random()
  if (dice < 0.45) return 'public'
  if (dice < 0.82) return 'private'
  return dice < 0.92 ? 'plain' : 'plain-old'
}

/** The life of one run: it is there or is started, observed, worked on, and meddled with. */
function makeRun(scope: PlanScope, run: number): Entry[] {
  const { random, span } = scope
  const isSeeded = chance(random, 0.4)
  const entries: Entry[] = [...makeWork(scope, run)]
  if (isSeeded) {
    const at = chance(random, 0.7) ? 0 : between(random, 0, span / 2)
    entries.push({ at, group: 'work', work: 'seed', run })
  } else entries.push(makeStart(scope, run, between(random, 0, 2_000)))
  if (chance(random, 0.9)) entries.push(makeObserver(scope, run, between(random, 0, 3_000)))
  const meddling = chance(random, 0.5) ? wholeBetween(random, 1, 8) : 0
  for (let time = 0; time < meddling; time += 1) entries.push(...makeAction(scope, run))
  return entries
}

/**
 * Workers that are quick or slow, and now and then somebody with the rights of the owner.
 * @param given - how long a worker takes for a thing on average, in ms.
 */
export function makeWork(scope: PlanScope, run: number, given?: number): WorkEntry[] {
  const { random, mode, span } = scope
  const pace = given ?? pick(random, [150, 600, 3_000] as const)
  const steps: WorkEntry[] = []
  const base = { group: 'work', run } as const
  for (let at = random() * pace; at < span * 1.2 && steps.length < 40; at += random() * 2 * pace) {
    steps.push({ ...base, work: 'step', at, roll: random(), of: wholeBetween(random, 0, 3) })
  }
  const at = between(random, 0, span)
  const dice = random()
  if (dice < 0.04) steps.push({ ...base, work: 'fail', at })
  else if (dice < 0.07) steps.push({ ...base, work: 'delete', at })
  else if (dice < 0.13 && (mode === 'public' || mode === 'private')) {
    steps.push({ ...base, work: 'lose-counter', at })
  } else if (dice < 0.17) {
    steps.push({ ...base, work: 'fail', at: at / 2 }, { ...base, work: 'repair', at })
  }
  return steps
}

function makeStart({ random }: PlanScope, run: number, at: number): AppEntry {
  return {
    ...{ at, group: 'app', app: 'start', run, slot: makeSlot(random) },
    via: chance(random, 0.4) ? pick(random, ['flow', 'flow', 'kept'] as const) : 'store',
    abortAfter: chance(random, 0.15) ? between(random, 0, 600) : null,
  }
}

function makeObserver({ random }: PlanScope, run: number, at: number): AppEntry {
  const via = pick(random, vias)
  return { at, group: 'app', app: 'observe', run, via, slot: makeSlot(random) }
}

/** Anything that an app does with one run. */
function makeAction(scope: PlanScope, run: number): AppEntry[] {
  const { random, span } = scope
  const at = between(random, 300, span)
  const base = { at, group: 'app' } as const
  const dice = random()
  if (dice < 0.25) return [makeObserver(scope, run, at)]
  if (dice < 0.35) return [{ ...base, app: 'release', slot: makeSlot(random) }]
  if (dice < 0.5) return makeRemount(scope, makeSlot(random), at)
  if (dice < 0.62) return [{ ...base, app: 'refresh', run }]
  if (dice < 0.72) return [makeStart(scope, run, at)]
  if (dice < 0.92) {
    const timeout = chance(random, 0.6) ? between(random, 100, 30_000) : null
    const abortAfter = timeout === null || chance(random, 0.2) ? between(random, 0, span * 2) : null
    return [{ ...base, app: 'wait', run, timeout, abortAfter }]
  }
  return [{ ...base, app: 'remove', run }]
}

/** Lists of several queries, and what is done with them. */
export function makeLists(scope: PlanScope): AppEntry[] {
  const { random, span } = scope
  const entries: AppEntry[] = []
  const count = wholeBetween(random, 1, 3)
  for (let list = 0; list < count; list += 1) {
    const slot = 100 + list
    const query = makeQuery(random)
    const at = between(random, 0, span / 2)
    const isKept = chance(random, 0.3)
    entries.push({ at, group: 'app', app: 'list', query, slot, isKept })
    const actions = wholeBetween(random, 0, 3)
    for (let action = 0; action < actions; action += 1) {
      const at = between(random, 500, span)
      const dice = random()
      if (dice < 0.4) entries.push({ at, group: 'app', app: 'more', slot })
      else if (dice < 0.6) entries.push({ at, group: 'app', app: 'reread', slot })
      else if (dice < 0.65) entries.push({ at, group: 'app', app: 'release', slot })
      else if (dice < 0.75) entries.push(...makeRemount(scope, slot, at))
      else if (dice < 0.88)
        entries.push({ at, group: 'app', app: 'list', query: makeQuery(random), slot })
      else entries.push({ at, group: 'app', app: 'page', query })
    }
  }
  return entries
}

/** Which runs a list shows. */
export function makeQuery(random: Random): ListPlan {
  return {
    flow: chance(random, 0.25) ? wholeBetween(random, 0, 3) : null,
    status: chance(random, 0.5) ? pick(random, ['started', 'completed', 'failed'] as const) : null,
    pageSize: pick(random, [1, 2, 3, 20] as const),
  }
}

/** What concerns the app as a whole. */
function makeWholes({ random, span, mode }: PlanScope): AppEntry[] {
  const entries: AppEntry[] = []
  const base = () => ({ at: between(random, 500, span), group: 'app' }) as const
  if (chance(random, 0.06)) entries.push({ ...base(), app: 'reset' })
  if (chance(random, 0.06)) {
    const reload = { ...base(), app: 'reload' } as const
    entries.push(reload)
    // What the page began with is somebody else's.
    if (chance(random, 0.25)) {
      const at = reload.at + between(random, 0, 100)
      entries.push({ at, group: 'app', app: 'sign-in', user: 'bert' })
    }
  }
  if (chance(random, 0.1))
    entries.push({ ...base(), app: 'flow', flow: wholeBetween(random, 0, 3) })
  if (chance(random, mode === 'private' ? 0.15 : 0.03)) {
    const user = chance(random, 0.6) ? 'bert' : null
    // Now and then while the page, which a server may have rendered, has just begun.
    const at = chance(random, 0.2) ? between(random, 0, 200) : base().at
    const away = { at, group: 'app', app: 'sign-in', user } as const
    entries.push(away)
    if (chance(random, 0.6)) {
      entries.push({ ...away, at: away.at + between(random, 10, 8_000), user: 'anna' })
    }
  }
  return entries
}

function makeSlot(random: Random): number {
  return wholeBetween(random, 0, 9)
}
