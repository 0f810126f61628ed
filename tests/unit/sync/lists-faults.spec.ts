import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ListObservation } from '../../../src/sync/lists/lists.ts'
import type { ListQuery } from '../../../src/model/entities.ts'
import { noListFaults, type ListFaults } from './support/list-backend.ts'
import { createListKit, facts } from './support/list-kit.ts'

type Kit = ReturnType<typeof createListKit>

/** What happens in a world where lists are looked at. */
type Step =
  | { do: 'start'; flow: string; isAtOnce: boolean }
  | { do: 'end'; which: number; status: 'completed' | 'failed' }
  | { do: 'wait'; ms: number }
  | { do: 'drop' | 'loadMore' | 'refresh' | 'toggle' }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('start' as const),
    flow: fc.constantFrom('f', 'g'),
    isAtOnce: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('end' as const),
    which: fc.nat(1_000),
    status: fc.constantFrom('completed' as const, 'failed' as const),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 50, 300, 3_000, 20_000) }),
  fc.record({ do: fc.constantFrom('drop', 'loadMore', 'refresh', 'toggle') }),
)

/** Fewer against mutants: each of those is tried with all of them. */
const numRuns = fc.readConfigureGlobal().numRuns ?? 300

const rate = fc.constantFrom(0, 0, 0.1, 0.5)
const faults: fc.Arbitrary<ListFaults> = fc.record({
  lose: rate,
  duplicate: rate,
  reorder: rate,
  fail: rate,
  hang: fc.constantFrom(0, 0, 0, 0.1),
})

const query: fc.Arbitrary<ListQuery> = fc.record({
  flow: fc.constantFrom(null, null, 'f'),
  status: fc.constantFrom(null, 'started', 'completed'),
  pageSize: fc.integer({ min: 1, max: 5 }),
})

/** The longest that a watchdog waits, and as much again for what follows. */
const longEnough = 200_000
/** Shorter than any watchdog waits. */
const aFewSeconds = 8_000

it('after the last fault a list is the first runs of the database, in its order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        seed: fc.integer(),
        hasFeed: fc.boolean(),
        before: fc.nat(12),
        queries: fc.uniqueArray(query, { minLength: 1, maxLength: 3, selector: JSON.stringify }),
        faults,
        steps: fc.array(step, { maxLength: 60 }),
      }),
      async ({ seed, hasFeed, before, queries, faults, steps }) => {
        const kit = createListKit({ seed, hasFeed, gcTime: 0 })
        const { backend, clock } = kit
        for (let n = 0; n < before; n += 1) backend.start(n % 3 === 0 ? 'g' : 'f')
        backend.faults = faults
        const lists = queries.map((one) => ({ query: one, seen: kit.manager.observe(one) }))
        for (const each of steps) await take(each, kit, lists)
        backend.faults = noListFaults
        kit.comeBack()
        await clock.advance(longEnough)

        for (const { query } of lists) {
          expectTruth(kit, query)
          expect(kit.list(query)).toMatchObject({
            isLoading: false,
            hasMore: backend.rows(query).length > kit.shown(query).length,
          })
          const { status, error } = kit.list(query)?.connection ?? {}
          // After a loss the feed counts as silent until it is heard again.
          const isSilent = hasFeed && faults.lose > 0 && error?.code === 'realtime_silent'
          if (!isSilent) expect(error).toBeNull()
          expect(status).toBe(hasFeed && !isSilent ? 'live' : 'polling')
        }
        const listed = new Set(lists.flatMap(({ query }) => kit.list(query)?.ids ?? []))
        expect(new Set(Object.keys(kit.summaries.value))).toEqual(listed)
        expect(backend.hasOpenFeed).toBe(hasFeed)

        for (const { seen } of lists) seen.release()
        await clock.advance(1)
        expect(kit.lists.value).toEqual({})
        expect(kit.summaries.value).toEqual({})
        const asked = backend.requests.length
        // What the network still carries arrives, and nobody is there.
        await clock.advance(longEnough)
        expect(backend.requests).toHaveLength(asked)
        expect(kit.left()).toBe(0)
      },
    ),
    { numRuns },
  )
})

it('a list without lost broadcasts is right within seconds, whatever else happens', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        seed: fc.integer(),
        before: fc.nat(12),
        queries: fc.uniqueArray(query, { minLength: 1, maxLength: 3, selector: JSON.stringify }),
        faults: fc.record({ duplicate: rate, reorder: rate }),
        steps: fc.array(step, { maxLength: 40 }),
      }),
      async ({ seed, before, queries, faults, steps }) => {
        const kit = createListKit({ seed })
        for (let n = 0; n < before; n += 1) kit.backend.start(n % 3 === 0 ? 'g' : 'f')
        kit.backend.faults = { ...noListFaults, ...faults }
        const lists = queries.map((one) => ({ query: one, seen: kit.manager.observe(one) }))
        for (const each of steps) {
          if (each.do !== 'toggle') await take(each, kit, lists)
        }
        await kit.clock.advance(aFewSeconds)
        for (const { query } of lists) expectTruth(kit, query)
      },
    ),
    { numRuns },
  )
})

/** Makes a step happen; whatever it is, no list is ever out of order. */
async function take(
  each: Step,
  { backend, clock, shown, isAway, leave, comeBack }: Kit,
  lists: readonly { query: ListQuery; seen: ListObservation }[],
): Promise<void> {
  if (each.do === 'start') backend.start(each.flow, each.isAtOnce)
  else if (each.do === 'end') {
    const ids = backend.runIds
    backend.end(ids[each.which % Math.max(1, ids.length)] ?? '', each.status)
  } else if (each.do === 'wait') await clock.advance(each.ms)
  else if (each.do === 'drop') backend.drop()
  else if (each.do === 'toggle') (isAway() ? comeBack : leave)()
  else for (const { seen } of lists) seen[each.do]().catch(() => undefined)
  for (const { query } of lists) expectInOrder(shown(query))
}

/** A list shows the first runs of its query: whole pages, or all there are. */
function expectTruth({ backend, shown, list }: Kit, query: ListQuery): void {
  const rows = backend.rows(query)
  const { length } = shown(query)
  expect(facts(shown(query))).toEqual(facts(rows.slice(0, length)))
  // Whether there are more is known for certain after a read: what is not shown may leave unseen.
  if (length < rows.length) expect(list(query)?.hasMore).toBe(true)
  if (length < rows.length) expect(length % query.pageSize).toBe(0)
  expect(length).toBeGreaterThanOrEqual(Math.min(rows.length, query.pageSize))
}

function expectInOrder(rows: readonly { run_id: string; started_at: string | null }[]): void {
  const places = rows.map((row) => `${row.started_at ?? ''} ${row.run_id}`)
  expect(places).toEqual([...new Set(places)].sort().reverse())
}
