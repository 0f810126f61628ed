import fc from 'fast-check'
import { createPinia, type Pinia } from 'pinia'
import {
  usePgflowStatus,
  usePgflowListStore,
  usePgflowStore,
  useRun,
  useRuns,
  useStep,
} from 'pinia-pgflow'
import { expect, it } from 'vitest'
import { createApp, defineComponent, h } from 'vue'
import { createEnvironment } from '../../../src/testing/environment.ts'
import { countOf } from '../../support/traced.ts'
import { json, name, ownEntries, shownOf } from './support/hostile.ts'

const flows = { greet: { hello: {}, bye: { deps: ['hello'] } } }

/** An app that shows a run, one of its steps and a list, over a database in memory. */
async function showRun() {
  const world = createEnvironment({ flows, onError: () => {} })
  const id = crypto.randomUUID()
  const record = world.database.seedRun('greet', { text: 'a' }, id, 'test-user')
  const pinia: Pinia = createPinia()
  const page = defineComponent({
    setup() {
      const { ready: _ready, refresh: _refresh, step, ...view } = useRun(id)
      const ofStep = useStep(id, 'hello')
      const { runs } = useRuns()
      const status = usePgflowStatus()
      return () => {
        const shown = shownOf(view, ofStep, { runs, status })
        const slugs = view.steps.value.map((each) => step(each.step_slug)?.status)
        // What an app shows of it; deep values are not for `JSON.stringify`.
        return h('p', [String(shown.map((each) => typeof each)), slugs.join()])
      }
    },
  })
  const app = createApp(page).use(pinia).use({ install: world.install })
  app.mount(document.createElement('div'))
  await world.time.settled()
  const store = usePgflowStore(pinia)
  const lists = usePgflowListStore(pinia)
  return { world, id, record, app, store, lists }
}

/** What a stranger may send on the topic of a run; `run_id` is often right. */
const message = (runId: string) =>
  fc.record({
    name: fc.oneof(
      name,
      fc.constantFrom('run:started', 'run:completed', 'run:failed', 'hello:completed', 'step:a:b'),
    ),
    payload: fc
      .tuple(
        fc.constantFrom(runId, runId, runId, runId.toUpperCase(), '__proto__', 7),
        fc.oneof(fc.integer({ min: -1, max: 30 }), json),
        fc.record(
          {
            event_type: name,
            step_slug: fc.oneof(name, fc.constant('hello')),
            status: name,
            flow_slug: name,
            input: json,
            output: json,
            error_message: json,
            remaining_steps: json,
            remaining_tasks: json,
            initial_tasks: json,
            started_at: json,
            completed_at: json,
            attempts_count: json,
            task_index: json,
            truncated: json,
          },
          { requiredKeys: [] },
        ),
        fc.array(fc.tuple(name, json), { maxLength: 2 }),
      )
      .map(([run_id, seq, fields, others]) =>
        ownEntries([...others, ...Object.entries({ ...fields, run_id, seq })]),
      ),
  })

it('whatever is sent on its topic, nothing throws, and a run stays what it is', async () => {
  const { world, id, record, app, store } = await showRun()
  await fc.assert(
    fc.asyncProperty(fc.array(message(id), { minLength: 1, maxLength: 6 }), async (messages) => {
      for (const { name: event, payload } of messages) {
        world.channels.send({
          topic: `pgflow:run:${id}`,
          name: event,
          payload: payload as Record<string, never>,
        })
      }
      await world.time.settled()
      expect(store.runById(id)).toMatchObject({ flow_slug: 'greet', input: { text: 'a' } })
      expect(Object.keys(store.runs)).toEqual([id])
      expect(JSON.parse(JSON.stringify(store.$state))).toBeTypeOf('object')
    }),
    { numRuns: 150 },
  )
  app.unmount()
  expect(record.run.status).toBe('started')
})

it('a broadcast cannot change what a run is, and what it is lists show too', async () => {
  const { world, id, app, store, lists } = await showRun()
  const forged = { run_id: id, seq: 4, status: 'started', flow_slug: 'evil', input: { text: 'b' } }
  world.channels.send({ topic: `pgflow:run:${id}`, name: 'run:started', payload: forged })
  await world.time.settled()
  expect(store.runById(id)).toMatchObject({ flow_slug: 'greet', input: { text: 'a' } })
  expect(countOf(world.traced, 'event', id)).toBe(1)
  expect(lists.runsOf().map((row) => row.flow_slug)).toEqual(['greet'])
  app.unmount()
})
