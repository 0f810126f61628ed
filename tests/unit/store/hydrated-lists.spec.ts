import { createPinia, type StateTree } from 'pinia'
import { usePgflowListStore, usePgflowStore } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { describe, expect, it } from 'vitest'
import { createApp, defineComponent, h, type App } from 'vue'

const flows = { f: { a: {} }, g: { a: {} } }
/** Mounted, as in a browser. */
const install = (app: App) => void app.mount(document.createElement('div'))
const Empty = defineComponent({ render: () => h('div') })

/** State of two lists of ada, as a server left it. */
function hydrated(runId: string): Record<string, StateTree> {
  const row = {
    run_id: runId,
    flow_slug: 'f',
    status: 'started',
    error_message: null,
    remaining_steps: 1,
    started_at: '2026-01-01T00:00:00.000000+00:00',
    completed_at: null,
    failed_at: null,
    seq: 1,
    cursor: null,
  }
  const list = {
    ids: [runId],
    hasMore: false,
    isLoading: false,
    connection: { status: 'idle', error: null },
  }
  const state = {
    lists: { [JSON.stringify(['f', null, 20])]: list },
    summaries: { [runId]: row },
  }
  return { 'pgflow-lists': JSON.parse(JSON.stringify(state)) as StateTree }
}

function mount(isPrivate: boolean) {
  const pgflow = createTestPgflow({ flows, user: 'ada', private: isPrivate, onError: () => {} })
  const pinia = createPinia()
  const runId = crypto.randomUUID()
  pinia.state.value = hydrated(runId)
  const app = createApp(Empty).use(pinia).use(pgflow)
  install(app)
  return { pgflow, pinia, runId }
}

describe.each([true, false])(
  'a list of a server that nobody observes (private: %s)',
  (isPrivate) => {
    it('is gone when somebody else signs in', async () => {
      const { pgflow, pinia } = mount(isPrivate)
      const lists = usePgflowListStore(pinia)
      await pgflow.settled()
      await pgflow.signIn('bob')
      expect(lists.runsOf({ flow: 'f' })).toEqual([])
    })

    it('is gone when somebody else signs in, also after another list was observed for a while', async () => {
      const { pgflow, pinia } = mount(isPrivate)
      const lists = usePgflowListStore(pinia)
      const { release } = lists.observeRuns({ flow: 'g' })
      await pgflow.settled()
      release()
      await pgflow.advance(10_000)
      await pgflow.signIn('bob')
      await pgflow.advance(10_000)
      expect(lists.runsOf({ flow: 'f' })).toEqual([])
    })

    it('is not taken over by a list store that is made when somebody else has signed in', async () => {
      const { pgflow, pinia } = mount(isPrivate)
      const store = usePgflowStore(pinia)
      const run = pgflow.seedRun('f', {})
      store.observeRun(run.id) // so that the session is watched
      await pgflow.settled()
      await pgflow.signIn('bob')
      await pgflow.advance(10_000)
      expect(usePgflowListStore(pinia).runsOf({ flow: 'f' })).toEqual([])
    })

    it('is not taken over by a list store although nothing else was used before', async () => {
      const { pgflow, pinia } = mount(isPrivate)
      usePgflowStore(pinia)
      await pgflow.settled()
      await pgflow.signIn('bob')
      await pgflow.advance(10_000)
      expect(usePgflowListStore(pinia).runsOf({ flow: 'f' })).toEqual([])
    })
  },
)

describe('lists of an app that is unmounted', () => {
  it.each([true, false])(
    'are not for who signs in before the next one is mounted (private: %s)',
    async (isPrivate) => {
      const pgflow = createTestPgflow({ flows, user: 'ada', private: isPrivate, onError: () => {} })
      const pinia = createPinia()
      const app = createApp(Empty).use(pinia).use(pgflow)
      install(app)
      const run = pgflow.seedRun('f', {})
      const lists = usePgflowListStore(pinia)
      lists.observeRuns({ flow: 'f' })
      await pgflow.settled()
      expect(lists.runsOf({ flow: 'f' }).map(({ run_id }) => run_id)).toEqual([run.id])
      app.unmount()
      await pgflow.signIn('bob')
      const next = createApp(Empty).use(pinia).use(pgflow)
      install(next)
      lists.observeRuns({ flow: 'f' })
      expect(lists.runsOf({ flow: 'f' })).toEqual([])
    },
  )
})
