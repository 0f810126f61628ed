import { createPinia } from 'pinia'
import { useRun, usePgflowStore } from 'pinia-pgflow'
import { createTestPgflow, type RunRecording, type TestPgflow } from 'pinia-pgflow/testing'
import { mount } from '@vue/test-utils'
import { describe, expect, it, onTestFinished } from 'vitest'
import { defineComponent, h, version as vueVersion } from 'vue'
import packageJson from '../../../package.json' with { type: 'json' }
import { libraryVersion } from '../../../src/devtools/version.ts'
import { exported } from './support/exported.ts'

const runId = '00000000-0000-4000-8000-000000000001'
const flows = {
  report: {
    list: { output: ['a', 'bb', 'ccc'] },
    each: { deps: ['list'], type: 'map', output: (item: unknown) => String(item).length },
    sum: { deps: ['each'], attempts: 1, output: { total: 6 } },
  },
} as const

/** A page that shows everything that the library says of a run. */
const Page = defineComponent({
  setup() {
    const { run, steps, progress, connection, error } = useRun(runId)
    const store = usePgflowStore()
    return () =>
      h('main', [
        h('h1', JSON.stringify([run.value, progress.value, error.value])),
        h(
          'ul',
          steps.value.map((step) => h('li', JSON.stringify([step, retryOf(step.step_slug)]))),
        ),
        h('p', JSON.stringify(connection.value.status)),
      ])
    function retryOf(slug: string) {
      return store.retryOf(runId, slug) ?? null
    }
  },
})

/** The page in an app, and each screen that it shows, without repetitions. */
async function show(pgflow: TestPgflow) {
  const pinia = createPinia()
  const wrapper = mount(Page, { global: { plugins: [pinia, pgflow] } })
  onTestFinished(() => wrapper.unmount())
  await pgflow.settled()
  return { pinia, wrapper, pgflow, html: () => wrapper.html() }
}

/** Plays a run in an app, records it, and shows the recording in another. */
async function recordAndReplay(
  work: (pgflow: TestPgflow) => Promise<void>,
  options: { private?: boolean } = {},
) {
  const pgflow = createTestPgflow({ flows, ...options })
  pgflow.seedRun('report', { of: 'x' }, { runId })
  const original = await show(pgflow)
  const first = original.html()
  await work(pgflow)
  const recording = exported(original.pinia, runId)
  const replayed = createTestPgflow(options)
  const replay = replayed.replay(recording)
  const copy = await show(replayed)
  expect(copy.html()).toBe(first)
  return { original, copy, replay, recording, replayed }
}

describe('a recording', () => {
  it('of a whole run shows the same screens, one after the other', async () => {
    const screens: string[] = []
    const { original, copy, replay, recording } = await recordAndReplay(async (pgflow) => {
      const run = pgflow.run(runId)
      await run.complete('list')
      await run.progress('each', 1)
      await run.retry('each', 'no luck', 1)
      await run.complete('each')
      await run.retry('sum', 'no sum')
      await run.complete('sum')
    })
    while (await replay.next()) screens.push(copy.html())
    expect(screens.at(-1)).toBe(original.html())
    expect(screens.at(-1)).toContain('completed')
    expect(screens.some((html) => html.includes('no luck'))).toBe(true)
    expect(replay.position).toBe(replay.length)
    expect(await replay.next()).toBe(false)
    const { final } = recording as RunRecording
    expect(replay).toMatchObject({ runId, flow: 'report' })
    expect(final.run.output).toEqual({ sum: { total: 6 } })
  })

  it('of a run that has not ended ends where it was exported', async () => {
    const { original, copy, replay } = await recordAndReplay(async (pgflow) => {
      await pgflow.run(runId).complete('list')
      await pgflow.run(runId).retry('each', 'no luck', 2)
    })
    await replay.play()
    expect(copy.html()).toBe(original.html())
    expect(copy.html()).toContain('no luck')
    expect(copy.html()).toContain('live')
  })

  it('of a run that failed shows why', async () => {
    const { original, copy, replay } = await recordAndReplay((pgflow) =>
      pgflow.run(runId).fail('list', 'the disk is full'),
    )
    await replay.play()
    expect(copy.html()).toBe(original.html())
    expect(copy.html()).toContain('the disk is full')
  })

  it('with gaps, late and doubled broadcasts and a lost connection ends on the same screen', async () => {
    const { original, copy, replay, replayed } = await recordAndReplay(async (pgflow) => {
      const run = pgflow.run(runId)
      pgflow.faults.dropMessages('list:completed')
      await run.complete('list')
      pgflow.faults.duplicateMessages(2)
      await run.progress('each', 2)
      await pgflow.faults.killSocket()
      await run.complete('each')
      await pgflow.advance(2_000)
      pgflow.faults.reorderMessages(2)
      await run.complete('sum')
    })
    await replay.play()
    expect(copy.html()).toBe(original.html())
    const kinds = new Set(replayed.traced.map(({ kind }) => kind))
    expect([...kinds]).toEqual(expect.arrayContaining(['gap', 'stale', 'event', 'answer']))
  })

  it('of what was missed in silence ends on the same screen', async () => {
    const { original, copy, replay } = await recordAndReplay(async (pgflow) => {
      pgflow.faults.dropMessages(100)
      await pgflow.run(runId).play()
      await pgflow.advance(6_000)
    })
    await replay.play()
    expect(copy.html()).toBe(original.html())
    expect(copy.html()).toContain('completed')
  })

  it('of a private run belongs to the signed-in user', async () => {
    const { original, copy, replay, replayed } = await recordAndReplay(
      (pgflow) => pgflow.run(runId).play(),
      { private: true },
    )
    await replay.play()
    expect(copy.html()).toBe(original.html())
    await replayed.signIn('somebody-else')
    expect(copy.html()).toContain('run_not_found')
  })

  it('without trace records is the run as it was exported', async () => {
    const { original, recording } = await recordAndReplay((pgflow) => pgflow.run(runId).play())
    const replayed = createTestPgflow()
    const replay = replayed.replay({ ...(recording as RunRecording), records: [] })
    expect(replay.length).toBe(0)
    const copy = await show(replayed)
    expect(copy.html()).toBe(original.html())
  })

  it('has the shape of the flow, for those who draw it, if that was read', async () => {
    const pgflow = createTestPgflow({ flows })
    pgflow.seedRun('report', {}, { runId })
    const { pinia } = await show(pgflow)
    const store = usePgflowStore(pinia)
    const without = exported(pinia, runId)
    await store.fetchFlow('report')
    const replayed = createTestPgflow()
    replayed.replay(exported(pinia, runId))
    const { pinia: other } = await show(replayed)
    expect(await usePgflowStore(other).fetchFlow('report')).toEqual(store.flowBySlug('report'))
    expect(without).toMatchObject({ flow: null })
  })

  it('is in the lists of the app, and nobody else can start a run of its id', async () => {
    const { replayed, recording } = await recordAndReplay((pgflow) => pgflow.run(runId).play())
    const { pinia } = await show(replayed)
    const store = usePgflowStore(pinia)
    expect(() => replayed.replay(recording)).toThrow('is taken')
    const start = store.startFlow('report', {}, { runId })
    await expect(start).rejects.toMatchObject({ code: 'flow_not_found' })
  })
})

describe('what is exported', () => {
  it('has times, versions, and the steps of the sync', async () => {
    const { recording } = await recordAndReplay((pgflow) => pgflow.run(runId).complete('list'))
    expect(recording).toMatchObject({
      format: 'pinia-pgflow recording',
      version: 1,
      versions: { 'pinia-pgflow': libraryVersion, vue: vueVersion },
      dropped: 0,
      connection: { status: 'live', error: null },
    })
    const { records } = recording as RunRecording
    expect(records.map(({ kind }) => kind)).toEqual([
      'fetch',
      'joined',
      'fetch',
      'answer',
      'event',
      'event',
    ])
    const event = records.at(-2)
    expect(event?.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(event).toMatchObject({
      kind: 'event',
      message: {
        name: 'list:completed',
        payload: {
          run_id: runId,
          seq: 3,
          event_type: 'step:completed',
          step_slug: 'list',
          output: ['a', 'bb', 'ccc'],
        },
      },
    })
  })

  it('has the version of the package', () => {
    expect(libraryVersion).toBe(packageJson.version)
  })

  it('has no keys and tokens, wherever they are', async () => {
    const token = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c'.repeat(20)}`
    const pgflow = createTestPgflow({ flows })
    pgflow.seedRun('report', { token, note: `Bearer ${token}!` }, { runId })
    const { pinia } = await show(pgflow)
    await pgflow.run(runId).complete('list', ['sb_secret_1234567890', 'plain'])
    const text = JSON.stringify(exported(pinia, runId))
    expect(text).not.toContain('eyJ')
    expect(text).not.toContain('sb_secret')
    expect(text).toContain('Bearer [left out]!')
    expect(text).toContain('plain')
  })

  it('is refused for a run that is not in the database yet', async () => {
    const pgflow = createTestPgflow({ flows })
    const { pinia } = await show(pgflow)
    expect(() => exported(pinia, runId)).toThrow('once the database knows it')
    const release = pgflow.faults.hangRequest('start')
    const starting = usePgflowStore(pinia).startFlow('report', {}, { runId })
    await pgflow.settled()
    expect(() => exported(pinia, runId)).toThrow('once the database knows it')
    await release()
    await starting
  })
})
