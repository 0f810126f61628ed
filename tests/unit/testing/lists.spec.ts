import { usePgflowStore, useRuns } from 'pinia-pgflow'
import { createTestPgflow, type TestPgflowOptions } from 'pinia-pgflow/testing'
import { describe, expect, it } from 'vitest'
import { mountIn } from '../../support/app.ts'
import { codeOf } from '../../support/code-of.ts'

const flows = { f: { a: {} }, g: { a: {}, b: { deps: ['a'] } } }
const create = (options: Partial<TestPgflowOptions> = {}) =>
  createTestPgflow({ flows, onError: () => {}, ...options })

describe.each([
  ['heard of on the feed', { private: true }],
  ['read again now and then', { private: false }],
])('a list that is %s', (_name, options) => {
  it('shows the runs of who is signed in as they come and continue', async () => {
    const pgflow = create(options)
    const first = pgflow.seedRun('f', {})
    pgflow.seedRun('f', {}, { user: 'bob' })
    const { result: list, wrapper } = mountIn(pgflow, () => useRuns({ flow: 'f' }))
    await pgflow.settled()
    expect(list.runs.value.map(({ run_id }) => run_id)).toEqual([first.id])
    const second = pgflow.seedRun('f', {})
    pgflow.seedRun('g', {})
    await first.complete('a', 1)
    // Heard at once, or read within the first wait of polling.
    await pgflow.advance(options.private ? 0 : 2_500)
    expect(list.runs.value.map(({ run_id, status }) => [run_id, status])).toEqual([
      [second.id, 'started'],
      [first.id, 'completed'],
    ])
    await pgflow.signIn('bob')
    expect(list.runs.value).toHaveLength(1)
    wrapper.unmount()
    await pgflow.advance(10_000)
    expect(pgflow.openChannels).toEqual([])
  })
})

describe('pages', () => {
  it('are loaded one by one', async () => {
    const pgflow = create()
    const ids = Array.from({ length: 5 }, () => pgflow.seedRun('f', {}).id).reverse()
    const { result: list } = mountIn(pgflow, () => useRuns({ pageSize: 2 }))
    await pgflow.settled()
    expect(list.runs.value.map(({ run_id }) => run_id)).toEqual(ids.slice(0, 2))
    await list.loadMore()
    await list.loadMore()
    expect(list.runs.value.map(({ run_id }) => run_id)).toEqual(ids)
    expect(list.hasMore.value).toBe(false)
  })

  it('are for somebody who is signed in', async () => {
    const { result: list } = mountIn(create({ user: null }), () => useRuns())
    expect(await codeOf(list.ready)).toBe('not_signed_in')
  })
})

describe('a page that is fetched', () => {
  it('is for its caller, and not in the store', async () => {
    const pgflow = create()
    const { id } = pgflow.seedRun('f', {})
    const { lists } = mountIn(pgflow, () => usePgflowStore())
    expect((await lists.fetchRuns()).runs).toMatchObject([{ run_id: id }])
    expect([lists.lists, lists.summaries]).toEqual([{}, {}])
  })

  it('is not delivered after a sign-out and $reset', async () => {
    const pgflow = create()
    pgflow.seedRun('f', {})
    const { store, lists } = mountIn(pgflow, () => usePgflowStore())
    const answer = pgflow.faults.hangRequest('list')
    const fetched = codeOf(lists.fetchRuns())
    await pgflow.signOut()
    store.$reset()
    await answer()
    expect(await fetched).toBe('aborted')
    expect([lists.lists, lists.summaries]).toEqual([{}, {}])
  })
})

it('the shape of a flow is that of its definition', async () => {
  const { store } = mountIn(create(), () => usePgflowStore())
  expect((await store.fetchFlow('g')).steps).toEqual([
    { step_slug: 'a', step_type: 'single', deps: [] },
    { step_slug: 'b', step_type: 'single', deps: ['a'] },
  ])
  expect(await codeOf(store.fetchFlow('h'))).toBe('flow_not_found')
})
