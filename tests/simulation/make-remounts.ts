import type { AppEntry, ListPlan, ObserveVia } from './plan.ts'
import { between, chance, pick, wholeBetween, type Random } from './random.ts'

/** How a component observes a run. */
export const vias: readonly [ObserveVia, ...ObserveVia[]] = ['store', 'run', 'step', 'kept']

/** What components are made for that come and go. */
export interface RemountScope {
  random: Random
  /** Until when they may be left, in ms. */
  span: number
}

/**
 * A component is left, and come back to: in the same turn, while what it observed is still followed
 * (`gcTime`, a read may be under way), just then, or long after it. It may come back by another
 * way.
 */
export function makeRemount({ random }: RemountScope, slot: number, at: number): AppEntry[] {
  const leave: AppEntry = { at, group: 'app', app: 'leave', slot, isKept: chance(random, 0.7) }
  const via = chance(random, 0.3) ? pick(random, vias) : null
  const dice = random()
  const base = { group: 'app', app: 'return', slot, via } as const
  // A component that was not left is mounted again.
  if (dice < 0.2) return [{ ...base, at }]
  const longest = pick(random, [0, 60, 600, 5_500, 20_000] as const)
  return [leave, { ...base, at: at + between(random, 0, longest) }]
}

/** Components of one run that come and go, several of them by turns. */
export function makeRunRemounts(scope: RemountScope, run: number): AppEntry[] {
  const { random, span } = scope
  const observers = wholeBetween(random, 1, 3)
  return Array.from({ length: observers }, (_, observer): AppEntry[] => {
    const slot = run * 3 + observer
    const via = pick(random, ['run', 'kept', 'kept', 'store', 'step'] as const)
    const at = between(random, 0, observer === 0 ? 500 : span / 2)
    const observe: AppEntry = { at, group: 'app', app: 'observe', run, via, slot }
    return [observe, ...comings(scope, slot, at)]
  }).flat()
}

/** A list that comes and goes. */
export function makeListRemounts(scope: RemountScope, query: ListPlan, slot: number): AppEntry[] {
  const at = between(scope.random, 0, 1_000)
  const isKept = chance(scope.random, 0.5)
  const list: AppEntry = { at, group: 'app', app: 'list', query, slot, isKept }
  return [list, ...comings(scope, slot, at)]
}

function comings(scope: RemountScope, slot: number, from: number): AppEntry[] {
  const { random, span } = scope
  // Now and then at once, while the first read is under way.
  const soon = chance(random, 0.5) ? makeRemount(scope, slot, from + between(random, 0, 400)) : []
  const later = Array.from({ length: wholeBetween(random, 1, 4) }, () =>
    makeRemount(scope, slot, between(random, from, span)),
  )
  return [...soon, ...later.flat()]
}
