import fc from 'fast-check'
import { createPinia } from 'pinia'
import {
  usePgflowListStore,
  usePgflowStatus,
  usePgflowStore,
  useRun,
  useRuns,
  useStep,
} from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { expect, it } from 'vitest'
import { createApp, h } from 'vue'
import { json, name, ownEntries, shownOf } from './support/hostile.ts'

const flows = { greet: { hello: { output: 'Hello' } } }
const runTables = ['runs', 'steps', 'stepOrder', 'retries', 'outputErrors', 'connections', 'flows']
const listTables = ['lists', 'summaries']

/** State as somebody else's storage may hold it: half of it of the right shape. */
function stateOf(runId: string, tables: readonly string[]) {
  const key = fc.oneof(name, fc.constantFrom(runId, `${runId}/hello`, `${runId}/constructor`))
  const table = fc.oneof(json, fc.array(fc.tuple(key, json), { maxLength: 4 }).map(ownEntries))
  return fc
    .tuple(...tables.map((each) => fc.tuple(fc.constantFrom(each, each, each, '__proto__'), table)))
    .map(ownEntries)
}

it('whatever state is there before the app, it renders, and shows what is in the database', async () => {
  const runId = crypto.randomUUID()
  await fc.assert(
    fc.asyncProperty(stateOf(runId, runTables), stateOf(runId, listTables), async (...state) => {
      const pgflow = createTestPgflow({ flows })
      pgflow.seedRun('greet', {}, { runId, status: 'completed' })
      const pinia = createPinia()
      const [pgflowState, listState] = state
      const stored = JSON.stringify({ pgflow: pgflowState, 'pgflow-lists': listState })
      pinia.state.value = JSON.parse(stored) as typeof pinia.state.value
      const app = createApp({
        setup() {
          const { ready: _ready, refresh: _refresh, step: _step, ...view } = useRun(runId)
          const { runs, connection } = useRuns()
          const ofStep = useStep(runId, 'hello')
          const status = usePgflowStatus()
          return () => h('p', JSON.stringify(shownOf(view, ofStep, { runs, connection, status })))
        },
      })
      app.use(pinia).use(pgflow)
      app.mount(document.createElement('div'))
      const store = usePgflowStore(pinia)
      await pgflow.settled()
      await store.refreshRun(runId)
      expect(store.stepOf(runId, 'hello')?.output).toBe('Hello')
      expect(
        usePgflowListStore(pinia)
          .runsOf()
          .map((row) => row.run_id),
      ).toEqual([runId])
      expect(Object.keys(store.runs)).toEqual([runId])
      app.unmount()
    }),
    { numRuns: 150 },
  )
})
