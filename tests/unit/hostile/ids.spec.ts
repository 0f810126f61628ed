import { mount } from '@vue/test-utils'
import fc from 'fast-check'
import { createPinia } from 'pinia'
import {
  PgflowError,
  useFlow,
  usePgflowStatus,
  usePgflowStore,
  useRun,
  useStep,
} from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { expect, it } from 'vitest'
import { createSSRApp, defineComponent, h, ref } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { mountIn } from '../../support/app.ts'
import { failureOf, notId, notIds, shownOf, slugs, thrownBy } from './support/hostile.ts'

const flows = { greet: { hello: { output: 'Hello' } } }

/** As a program without types passes it, or a part of an address. */
const given = (id: unknown) => id as string

const refused: unknown = expect.objectContaining({
  name: 'PgflowError',
  code: 'invalid_input',
  message: expect.stringContaining('is not the id of a run, which is a UUID.') as string,
})

/** Shows everything that the composables tell of a run. */
const Page = defineComponent({
  props: { runId: { type: null, required: true }, stepSlug: { type: String, required: true } },
  setup(props: { runId: unknown; stepSlug: string }) {
    const id = () => given(props.runId)
    const { ready: _ready, refresh: _refresh, step, ...view } = useRun(id)
    const ofStep = useStep(id, () => props.stepSlug)
    const status = usePgflowStatus()
    return () => {
      const shown = shownOf(view, ofStep, { status })
      return h('p', JSON.stringify([step(props.stepSlug), ...shown]))
    }
  },
})

it('an id that is no UUID is refused by every function before anything is written or requested', async () => {
  const pgflow = createTestPgflow({ flows })
  const { store, wrapper } = mountIn(pgflow, () => usePgflowStore())
  const before = JSON.stringify(store.$state)
  await fc.assert(
    fc.asyncProperty(notId, fc.constantFrom(...slugs), async (id, slug) => {
      const runId = given(id)
      expect(thrownBy(() => store.observeRun(runId))).toEqual(refused)
      expect(thrownBy(() => store.removeRun(runId))).toEqual(refused)
      expect(await failureOf(() => store.refreshRun(runId))).toEqual(refused)
      expect(await failureOf(() => store.waitForRun(runId))).toEqual(refused)
      expect(await failureOf(() => store.startFlow('greet', {}, { runId }))).toEqual(refused)
      expect(store.runById(runId)).toBeUndefined()
      expect(store.stepOf(runId, slug)).toBeUndefined()
      expect(store.retryOf(runId, slug)).toBeUndefined()
      expect(store.stepsOf(runId)).toEqual([])
      expect(store.progressOfRun(runId)).toMatchObject({ total: 0, done: 0, fraction: 0 })
    }),
    { examples: notIds.map((id): [unknown, string] => [id, 'constructor']) },
  )
  expect(JSON.stringify(store.$state)).toBe(before)
  expect(pgflow.requests).toEqual([])
  expect(pgflow.openChannels).toEqual([])
  wrapper.unmount()
})

it('a component that is given one shows why, requests nothing, and continues with a good one', async () => {
  const pgflow = createTestPgflow({ flows })
  const run = pgflow.seedRun('greet', {})
  const id = ref<unknown>(run.id)
  const { result, store, pinia, wrapper } = mountIn(pgflow, () => {
    const runId = () => given(id.value)
    return { view: useRun(runId), ofStep: useStep(runId, 'hello') }
  })
  const page = mount(Page, {
    props: { runId: run.id, stepSlug: 'hello' },
    global: { plugins: [pinia] },
  })
  await pgflow.settled()
  const asked = pgflow.requests.length
  await fc.assert(
    fc.asyncProperty(notId, fc.constantFrom(...slugs), async (bad, stepSlug) => {
      id.value = bad
      await page.setProps({ runId: bad, stepSlug })
      const { view, ofStep } = result
      expect(view.run.value).toBeNull()
      expect(view.steps.value).toEqual([])
      expect(view.connection.value).toMatchObject({ status: 'closed' })
      expect(view.error.value?.code).toBe('invalid_input')
      expect(ofStep.error.value?.code).toBe('invalid_input')
      expect(await failureOf(view.refresh)).toEqual(refused)
      expect(page.text()).toContain('invalid_input')
    }),
    { numRuns: 40, examples: notIds.map((bad): [unknown, string] => [bad, 'constructor']) },
  )
  expect(pgflow.requests).toHaveLength(asked)
  id.value = run.id.toUpperCase()
  await page.setProps({ runId: run.id.toUpperCase() })
  await pgflow.settled()
  expect(result.view.run.value?.run_id).toBe(run.id)
  expect(result.view.error.value).toBeNull()
  expect(Object.keys(store.runs)).toEqual([run.id])
  page.unmount()
  wrapper.unmount()
})

it('set-up with one: ready rejects, and a start fails into error', async () => {
  const pgflow = createTestPgflow({ flows })
  const { result, wrapper } = mountIn(pgflow, () => ({
    view: useRun('__proto__'),
    flow: useFlow('greet'),
  }))
  const { view, flow } = result
  expect(await failureOf(() => view.ready)).toEqual(refused)
  expect(await failureOf(() => flow.startAsync({}, { runId: 'constructor' }))).toEqual(refused)
  expect(flow.error.value).toBeInstanceOf(PgflowError)
  expect(flow.runId.value).toBeNull()
  wrapper.unmount()
})

it('a server renders its page, and every page after it', async () => {
  const pgflow = createTestPgflow({ flows, ssr: true })
  const good = pgflow.seedRun('greet', {})
  const render = (runId: unknown, stepSlug = 'constructor') => {
    const app = createSSRApp(Page, { runId, stepSlug }).use(createPinia()).use(pgflow)
    return renderToString(app)
  }
  await fc.assert(
    fc.asyncProperty(notId, async (bad) => {
      expect(await render(bad)).toContain('invalid_input')
    }),
    { numRuns: 30, examples: notIds.map((bad): [unknown] => [bad]) },
  )
  expect(pgflow.requests).toEqual([])
  expect(await render(good.id, 'hello')).toContain(good.id)
})

it('the message of an id that is none does not end in the middle of a character', () => {
  const { result, wrapper } = mountIn(createTestPgflow({ flows }), () =>
    useRun(`${'x'.repeat(59)}😀 and more`),
  )
  const message = result.error.value?.message ?? ''
  expect(message).toContain('x…')
  // It would throw for half a character.
  expect(decodeURIComponent(encodeURIComponent(message))).toBe(message)
  wrapper.unmount()
})
