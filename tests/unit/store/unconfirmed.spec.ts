import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import {
  flowSchemas,
  type PgflowError,
  type RunHooks,
  useFlow,
  usePgflowStore,
  useRun,
} from 'pinia-pgflow'
import { createTestPgflow, type TestPgflowOptions } from 'pinia-pgflow/testing'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { defineComponent, h, ref } from 'vue'

const flows = { pair: { a: { output: 'A' }, b: { deps: ['a'], output: 'B' } } }

/** Mounts a component that runs `setup` over a database in memory. */
function mountOver<T>(setup: () => T, options: Partial<TestPgflowOptions> = {}) {
  const pgflow = createTestPgflow({ flows, ...options })
  const made: T[] = []
  const component = defineComponent({
    setup() {
      made.push(setup())
      return () => h('p')
    },
  })
  const pinia = createPinia()
  const wrapper = mount(component, { global: { plugins: [pinia, pgflow] } })
  const [result] = made
  if (result === undefined) throw new Error('setup did not run')
  return { pgflow, wrapper, store: usePgflowStore(pinia), result }
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (error as PgflowError).code,
  )

describe('hooks', () => {
  const listening = (heard: string[]): RunHooks => ({
    onStarted: () => heard.push('started'),
    onStep: (step, run) =>
      heard.push(`${step.step_slug} ${step.status}, ${run.remaining_steps ?? '?'} left`),
    onCompleted: (run) => heard.push(`completed ${JSON.stringify(run.output)}`),
  })

  async function started(options: Partial<TestPgflowOptions> = {}) {
    const heard: string[] = []
    const app = mountOver(() => useFlow('pair', listening(heard)), options)
    await app.result.startAsync({})
    await app.pgflow.settled()
    return { ...app, heard, run: app.pgflow.latestRun() }
  }

  it('emit the start first, and rows that are whole', async () => {
    const { heard, run, wrapper } = await started()
    await run.complete('a')
    expect(heard).toEqual([
      'started',
      'a started, 2 left',
      'a completed, 1 left',
      'b started, 1 left',
    ])
    wrapper.unmount()
  })

  it('of the end wait for the steps whose messages are lost', async () => {
    const { heard, run, pgflow, wrapper } = await started()
    await run.complete('a')
    heard.length = 0
    pgflow.faults.dropMessages('b:completed')
    await run.complete('b')
    expect(heard).toEqual(['b completed, 0 left', 'completed {"b":"B"}'])
    wrapper.unmount()
  })

  it('have the output of which the message was too large', async () => {
    const { heard, run, wrapper } = await started({ maxPayloadBytes: 2_000 })
    const large = 'x'.repeat(4_000)
    await run.complete('a')
    await run.complete('b', large)
    expect(heard.at(-1)).toBe(`completed {"b":"${large}"}`)
    expect(heard.filter((line) => line.startsWith('completed'))).toHaveLength(1)
    wrapper.unmount()
  })
})

describe('waitForRun', () => {
  it('continues when the component that has called it unmounts', async () => {
    const { pgflow, wrapper, store, result } = mountOver(() => {
      const store = usePgflowStore()
      const run = store.startFlow('pair', {})
      const id = ref('')
      void run.then(({ run_id }) => (id.value = run_id))
      return { id, run }
    })
    const { run_id } = await result.run
    const made: Promise<unknown>[] = []
    const child = defineComponent({
      setup() {
        made.push(store.waitForRun(run_id))
        return () => null
      },
    })
    const page = mount(child)
    page.unmount()
    await pgflow.latestRun().play()
    expect(await made[0]).toMatchObject({ status: 'completed' })
    await pgflow.advance(10_000)
    expect(pgflow.openChannels).toEqual([])
    wrapper.unmount()
  })

  it('does not wait on a server that renders', async () => {
    const { pgflow, store, wrapper } = mountOver(() => usePgflowStore(), { ssr: true })
    const going = pgflow.seedRun('pair', {})
    expect(await codeOf(store.waitForRun(going.id))).toBe('not_supported')
    await going.play()
    expect(await store.waitForRun(going.id)).toMatchObject({ status: 'completed' })
    wrapper.unmount()
  })
})

describe('a run id in capitals', () => {
  it('is that of the same run', async () => {
    const { pgflow, store, result, wrapper } = mountOver(() => {
      const id = ref<string | null>(null)
      return { id, view: useRun(id), flow: useFlow('pair') }
    })
    const run = pgflow.seedRun('pair', {})
    result.id.value = run.id.toUpperCase()
    await pgflow.settled()
    expect(result.view.run.value?.run_id).toBe(run.id)
    expect(store.runById(run.id.toUpperCase())?.status).toBe('started')
    const runId = crypto.randomUUID().toUpperCase()
    expect(await result.flow.startAsync({}, { runId })).toMatchObject({
      run_id: runId.toLowerCase(),
    })
    expect(Object.keys(store.runs)).toHaveLength(2)
    wrapper.unmount()
  })
})

describe('starts that fail', () => {
  it('one after the other show the run that was started before, or none', async () => {
    const { pgflow, result: flow, wrapper } = mountOver(() => useFlow('pair'))
    const fail = async (input: object) => {
      pgflow.faults.failRequest('flow_not_allowed', 'start')
      expect(await codeOf(flow.startAsync(input as Record<string, never>))).toBe('flow_not_allowed')
    }
    await Promise.all([fail({ n: 1 }), fail({ n: 2 })])
    expect(flow.runId.value).toBeNull()
    const good = await flow.startAsync({ n: 3 })
    await Promise.all([fail({ n: 4 }), fail({ n: 5 })])
    expect(flow.runId.value).toBe(good.run_id)
    wrapper.unmount()
  })

  it('are continued with the very input that was sent', async () => {
    let made = 0
    const input = v.pipe(
      v.any(),
      v.transform(() => ({ number: (made += 1) })),
    )
    const {
      pgflow,
      result: flow,
      wrapper,
    } = mountOver(() => useFlow('pair'), {
      schemas: flowSchemas({ pair: { input } }),
    })
    pgflow.faults.loseReply('start')
    expect(await codeOf(flow.startAsync({ a: 1 }, { timeout: 0 }))).toBe('unreachable')
    await flow.startAsync({ a: 1 })
    expect(pgflow.runs).toHaveLength(1)
    expect(flow.run.value?.input).toEqual({ number: 1 })
    wrapper.unmount()
  })
})

describe('an output that is checked', () => {
  it('may be null, which is not what its schema describes', async () => {
    const {
      pgflow,
      store,
      result: flow,
      wrapper,
    } = mountOver(() => useFlow('pair'), {
      flows: { pair: { a: { output: null } } },
      schemas: flowSchemas({ pair: { steps: { a: v.object({}) } } }),
      onError: () => {},
    })
    const { run_id } = await flow.startAsync({})
    await pgflow.latestRun().play()
    expect(store.outputErrors[`${run_id}/a`]).toMatchObject({ code: 'invalid_output' })
    wrapper.unmount()
  })
})
