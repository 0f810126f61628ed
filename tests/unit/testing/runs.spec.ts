import { Flow } from '@pgflow/dsl'
import { useFlow, usePgflowStore, useRun, type PgflowError } from 'pinia-pgflow'
import { createTestPgflow, scriptFlow, type TestPgflowOptions } from 'pinia-pgflow/testing'
import { describe, expect, it } from 'vitest'
import { watch } from 'vue'
import { mountIn } from '../../support/app.ts'
import { codeOf } from '../../support/code-of.ts'
import { countOf } from '../../support/traced.ts'

const flows = {
  report: {
    list: { output: ['a', 'bb'] },
    each: { deps: ['list'], type: 'map', output: (item: string) => item.length },
    sum: { deps: ['each'], output: ({ each }: { each: number[] }) => ({ each }) },
  },
} as const

describe('what workers do', () => {
  it('is shown when the call resolves, and the run is live meanwhile', async () => {
    const pgflow = createTestPgflow({ flows })
    const { result: flow } = mountIn(pgflow, () => useFlow('report'))
    void flow.startAsync({ of: 'x' })
    await pgflow.settled()
    expect(flow.connection.value.status).toBe('live')
    const run = pgflow.latestRun()
    expect(run).toMatchObject({ flow: 'report', input: { of: 'x' }, status: 'started' })
    await run.complete('list', ['a', 'b', 'c', 'd'])
    expect(flow.step('each')).toMatchObject({ initial_tasks: 4, remaining_tasks: 4 })
    await run.progress('each', 3)
    expect(flow.step('each')?.remaining_tasks).toBe(1)
    expect(flow.progress.value.fraction).toBeCloseTo((1 + 0.75) / 3)
    await run.complete('each')
    expect(flow.step('each')).toMatchObject({ status: 'completed', output: [1, 1, 1, 1] })
    expect(flow.run.value?.remaining_steps).toBe(1)
    await run.complete('sum', 'done')
    expect(flow.run.value).toMatchObject({ status: 'completed', output: { sum: 'done' } })
    expect(flow.connection.value).toMatchObject({ status: 'closed' })
    expect(countOf(pgflow.traced, 'gap')).toBe(0)
  })

  it('follows the script in play(), and every state on the way is seen', async () => {
    const pgflow = createTestPgflow({ flows })
    const seen: string[] = []
    const { result: flow } = mountIn(pgflow, () => {
      const flow = useFlow('report')
      watch(flow.steps, (steps) => seen.push(steps.map(({ status }) => status[0]).join('')), {
        deep: true,
      })
      return flow
    })
    void flow.startAsync({})
    await pgflow.latestRun().play()
    expect(flow.run.value?.output).toEqual({ sum: { each: [1, 2] } })
    // First a run that is pending; then each, list and sum: created, started, completed.
    expect([...new Set(seen)]).toEqual(['', 'scc', 'csc', 'ccs', 'ccc'])
  })

  it('may be an attempt that fails, and a failure that is the last', async () => {
    const pgflow = createTestPgflow({ flows })
    const { result: flow, store } = mountIn(pgflow, () => useFlow('report'))
    const retries: unknown[] = []
    store.onRunChange((change) => {
      if (change.kind === 'retry') retries.push(change.retry)
    })
    void flow.startAsync({})
    await pgflow.latestRun().retry('list', 'busy')
    expect(flow.step('list')?.status).toBe('started')
    expect(countOf(pgflow.traced, 'event')).toBe(1)
    await pgflow.latestRun().fail('list', 'broken')
    expect(flow.run.value).toMatchObject({ status: 'failed', error_message: 'broken' })
    expect(flow.step('list')?.error_message).toBe('broken')
    expect(flow.step('each')?.status).toBe('created')
    expect(retries).toEqual([{ task_index: 0, attempts_count: 1, error_message: 'busy' }])
  })

  it('may be the end of a run by hand', async () => {
    const pgflow = createTestPgflow({ flows })
    const { result: flow } = mountIn(pgflow, () => useFlow('report'))
    void flow.startAsync({})
    await pgflow.latestRun().failRun('stopped')
    expect(flow.run.value).toMatchObject({ status: 'failed', error_message: 'stopped' })
    expect(flow.step('list')?.status).toBe('started')
  })

  it.each<[string, (run: ReturnType<typeof createTestPgflow>) => Promise<void>, RegExp]>([
    ['a step that waits', (p) => p.latestRun().complete('sum'), /waits for each/],
    ['an unknown step', (p) => p.latestRun().fail('total'), /only list, each, sum/],
    ['a wrong number of tasks', wrongTasks, /array of 2/],
    ['an unknown task', (p) => p.latestRun().retry('list', 'again', 3), /no task 3/],
    ['a step twice', twice, /completed already/],
    ['a run that is over', afterEnd, /has failed already/],
    ['no run', (p) => p.run(crypto.randomUUID()).play(), /No such run was started/],
  ])('that cannot be reports why: %s', async (_name, work, message) => {
    const pgflow = createTestPgflow({ flows })
    pgflow.seedRun('report', {})
    const error = await work(pgflow).catch((thrown: unknown) => thrown as PgflowError)
    expect(error).toMatchObject({
      code: 'invalid_options',
      message: expect.stringMatching(message) as string,
    })
  })
})

async function wrongTasks(pgflow: ReturnType<typeof createTestPgflow>): Promise<void> {
  await pgflow.latestRun().complete('list')
  await pgflow.latestRun().complete('each', [1])
}

async function twice(pgflow: ReturnType<typeof createTestPgflow>): Promise<void> {
  await pgflow.latestRun().complete('list')
  await pgflow.latestRun().complete('list')
}

async function afterEnd(pgflow: ReturnType<typeof createTestPgflow>): Promise<void> {
  await pgflow.latestRun().fail('list')
  await pgflow.latestRun().complete('list')
}

describe('a script', () => {
  it('has attempts that fail first, errors, and handlers that throw', async () => {
    const pgflow = createTestPgflow({
      flows: {
        shaky: { only: { attempts: 2, output: 'at last' } },
        broken: { only: { attempts: 1, error: 'the mill is closed' } },
        throws: {
          only: {
            output: () => {
              throw new Error('no such file')
            },
          },
        },
      },
    })
    const { result } = mountIn(pgflow, () => ({
      shaky: useFlow('shaky'),
      broken: useFlow('broken'),
      throws: useFlow('throws'),
    }))
    for (const flow of Object.values(result)) void flow.startAsync({})
    for (const run of pgflow.runs) await run.play()
    expect(result.shaky.step('only')?.output).toBe('at last')
    // Two retries, the completion of the step and of the run.
    const heard = (id: string | null) => countOf(pgflow.traced, 'event', id ?? '')
    expect(heard(result.shaky.runId.value)).toBe(4)
    expect(result.broken.run.value?.error_message).toBe('the mill is closed')
    expect(heard(result.broken.runId.value)).toBe(3)
    expect(result.throws.run.value?.error_message).toBe('no such file')
  })

  it('gives a map over what nobody scripted as many tasks as it reports', async () => {
    const pgflow = createTestPgflow({
      flows: { f: { list: {}, each: { type: 'map', deps: ['list'], tasks: 3 } } },
    })
    const run = pgflow.seedRun('f', {}, { status: 'completed' })
    const { store } = mountIn(pgflow, () => useRun(run.id))
    await pgflow.settled()
    expect(store.stepOf(run.id, 'each')).toMatchObject({
      initial_tasks: 3,
      output: [null, null, null],
    })
  })

  it('is of a dsl flow, whose handlers do not run', async () => {
    const Report = new Flow<{ text: string }>({ slug: 'report' })
      .step({ slug: 'words' }, (): string[] => {
        throw new Error('a handler ran')
      })
      .map({ slug: 'lengths', array: 'words' }, (word) => word.length)
      .step({ slug: 'sum', dependsOn: ['lengths'] }, ({ lengths }) => ({ total: lengths.length }))
    const pgflow = createTestPgflow({
      flows: {
        report: scriptFlow(Report, {
          words: { output: ['a', 'bb'] },
          lengths: { output: (word: string) => word.length },
          sum: { output: ({ lengths }: { lengths: number[] }) => ({ total: lengths.length }) },
        }),
      },
      autoPlay: true,
    })
    const { result: flow } = mountIn(pgflow, () => useFlow<typeof Report>('report'))
    await flow.startAsync({ text: 'a bb' })
    await pgflow.settled()
    expect(flow.step('lengths')?.output).toEqual([1, 2])
    expect(flow.run.value?.output).toEqual({ sum: { total: 2 } })
    expect(pgflow.latestRun<typeof Report>().input.text).toBe('a bb')

    const plain = createTestPgflow({ flows: { report: Report } })
    await plain.seedRun<typeof Report>('report', { text: '' }).play()
    expect(plain.latestRun().status).toBe('completed')
  })
})

describe('autoPlay', () => {
  it('plays every run to its end', async () => {
    const pgflow = createTestPgflow({ flows, autoPlay: true })
    const { store } = mountIn(pgflow, () => usePgflowStore())
    const { run_id } = await store.startFlow('report', {})
    expect(await store.waitForRun(run_id)).toMatchObject({ output: { sum: { each: [1, 2] } } })
  })

  it('at a pace takes its time, which passes with advance()', async () => {
    const pgflow = createTestPgflow({ flows, autoPlay: { pace: 1_000 } })
    const { result: flow } = mountIn(pgflow, () => useFlow('report'))
    void flow.startAsync({})
    await pgflow.advance(999)
    expect(flow.step('list')?.status).toBe('started')
    await pgflow.advance(1)
    expect(flow.step('list')?.status).toBe('completed')
    await pgflow.advance(3_000)
    expect(flow.status.value).toBe('completed')
  })
})

describe('runs that are there before the app', () => {
  it('are as they were seeded', async () => {
    const pgflow = createTestPgflow({ flows })
    const going = pgflow.seedRun('report', {}, { completed: { list: ['x'] } })
    const failed = pgflow.seedRun('report', {}, { failed: { list: 'empty' } })
    const ended = pgflow.seedRun('report', {}, { status: 'failed', error: 'too late' })
    const done = pgflow.seedRun('report', {}, { status: 'completed', runId: crypto.randomUUID() })
    const { store } = mountIn(pgflow, () => pgflow.runs.map(({ id }) => useRun(id)))
    await pgflow.settled()
    expect(store.runById(going.id)).toMatchObject({ status: 'started', remaining_steps: 2 })
    expect(store.stepOf(going.id, 'each')).toMatchObject({ status: 'started', initial_tasks: 1 })
    expect(store.runById(failed.id)).toMatchObject({ status: 'failed', error_message: 'empty' })
    expect(store.runById(ended.id)?.error_message).toBe('too late')
    expect(store.runById(done.id)?.status).toBe('completed')
    expect(pgflow.openChannels).toEqual([`pgflow:run:${going.id}`])
    await going.play()
    expect(store.runById(going.id)?.output).toEqual({ sum: { each: [1] } })
  })

  it('cannot be of a flow, an input or a step that there is not', () => {
    const pgflow = createTestPgflow({ flows: { ...flows, each: { all: { type: 'map' } } } })
    const codes = [
      () => pgflow.seedRun('nowhere', {}),
      () => pgflow.seedRun('each', {}),
      () => pgflow.seedRun('report', {}, { completed: { total: 1 } }),
    ].map((work) => {
      try {
        work()
        return 'none'
      } catch (error) {
        return (error as PgflowError).code
      }
    })
    expect(codes).toEqual(['flow_not_found', 'invalid_input', 'invalid_options'])
  })
})

describe('a flow that pgflow would not take', () => {
  it.each<[string, TestPgflowOptions['flows'], RegExp]>([
    ['an unknown dependency', { f: { a: { deps: ['b'] } } }, /depends on "b"/],
    ['a circle', { f: { a: { deps: ['b'] }, b: { deps: ['a'] } } }, /a, b wait for each other/],
    ['a map of two', { f: { a: {}, b: {}, c: { type: 'map', deps: ['a', 'b'] } } }, /may have one/],
    ['a slug', { f: { 'not a slug': {} } }, /no step's slug/],
    ['another slug', { f: new Flow({ slug: 'g' }) }, /has the slug "g"/],
  ])('%s', (_name, wrong, message) => {
    expect(() => createTestPgflow({ flows: wrong })).toThrow(message)
  })

  it('and a run that is not one is refused', async () => {
    const pgflow = createTestPgflow({ flows })
    const { store } = mountIn(pgflow, () => usePgflowStore())
    expect(await codeOf(store.startFlow('nowhere', {}))).toBe('flow_not_found')
  })
})
