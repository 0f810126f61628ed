import { makeFault } from './make-faults.ts'
import { finish, type PlanScope } from './make-plan.ts'
import type { AppEntry, FaultEntry, ListPlan, Plan, WorkEntry } from './plan.ts'
import { between, chance, pick, wholeBetween, type Random } from './random.ts'

/**
 * A load of ends: lists show what is going on, and dozens of runs end at once, so that what has
 * left is to be filled up by reads, with replicas that are behind and messages that are lost.
 */
export function makeEnds(random: Random, seed: number): Plan {
  const runs = wholeBetween(random, 20, 60)
  const span = between(random, 8_000, 20_000)
  const mode = chance(random, 0.85) ? 'private' : 'public'
  const scope: PlanScope = { random, mode, runs, span }
  const bursts = Array.from({ length: wholeBetween(random, 1, 3) }, () => ({
    at: between(random, 1_500, span),
    length: pick(random, [0, 50, 500, 3_000] as const),
  }))
  const ofRuns = Array.from({ length: runs }, (_, run) => makeEndingRun(scope, run, bursts))
  const entries = [...ofRuns.flat(), ...makeLists(scope), ...makeOthers(scope)]
  const plan = finish(seed, 'ends', scope, [...entries, ...makeEndFaults(scope)])
  return { ...plan, maxChannels: pick(random, [10, 90] as const), isRendered: false }
}

interface Burst {
  at: number
  length: number
}

/**
 * Some are there, some begin late; most end in one of the bursts, a few by themselves or not at
 * all.
 */
function makeEndingRun(
  { random, span }: PlanScope,
  run: number,
  bursts: readonly Burst[],
): WorkEntry[] {
  const base = { group: 'work', run } as const
  // Not all in one moment: a list is in the order of their starts.
  const begun = chance(random, 0.4) ? 0 : between(random, 0, chance(random, 0.7) ? 1_000 : span)
  const seed: WorkEntry = { ...base, work: 'seed', at: begun }
  const step = { ...base, work: 'step', roll: 0.5, of: 0 } as const
  const steps = chance(random, 0.2) ? [{ ...step, at: between(random, begun, span) }] : []
  if (chance(random, 0.1)) return [seed, ...steps]
  const burst = bursts[run % bursts.length]
  const isAlone = !burst || chance(random, 0.1)
  const at = isAlone ? between(random, begun, span) : burst.at + random() * burst.length
  const work = chance(random, 0.7) ? 'finish' : 'fail'
  const end: WorkEntry = { ...base, work, at: Math.max(begun + 1, at) }
  const isRepaired = work === 'fail' && chance(random, 0.05)
  const repair: WorkEntry = { ...base, work: 'repair', at: end.at + between(random, 100, 5_000) }
  return [seed, ...steps, end, ...(isRepaired ? [repair] : [])]
}

/** A list of what is going on, and now and then others beside it. */
function makeLists({ random, span }: PlanScope): AppEntry[] {
  const started: ListPlan = {
    ...{ flow: chance(random, 0.15) ? wholeBetween(random, 0, 3) : null, status: 'started' },
    pageSize: pick(random, [2, 5, 10, 20] as const),
  }
  const others: AppEntry[] = Array.from({ length: wholeBetween(random, 0, 2) }, (_, other) => {
    const status = pick(random, [null, 'completed', 'failed', 'started'] as const)
    const query = { flow: null, status, pageSize: pick(random, [3, 10, 20] as const) }
    const at = between(random, 0, span / 2)
    return { at, group: 'app', app: 'list', query, slot: 101 + other }
  })
  const list: AppEntry = { at: 100, group: 'app', app: 'list', query: started, slot: 100 }
  const actions = Array.from({ length: wholeBetween(random, 0, 4) }, (): AppEntry => {
    const base = { at: between(random, 500, span), group: 'app', slot: 100 } as const
    return { ...base, app: chance(random, 0.7) ? 'more' : 'reread' }
  })
  return [list, ...others, ...actions]
}

/** Some of the runs are followed, too. */
function makeOthers({ random, runs, span }: PlanScope): AppEntry[] {
  return Array.from({ length: wholeBetween(random, 0, 3) }, (_, slot): AppEntry => {
    const base = { group: 'app', app: 'observe', via: 'run', slot } as const
    return { ...base, at: between(random, 0, span), run: wholeBetween(random, 0, runs - 1) }
  })
}

function makeEndFaults(scope: PlanScope): FaultEntry[] {
  const { random } = scope
  const kinds = ['replica', 'replica', 'messages', 'messages', 'silent', 'cut', 'requests'] as const
  return Array.from({ length: wholeBetween(random, 0, 4) }, () => {
    return makeFault(scope, pick(random, kinds))
  })
}
