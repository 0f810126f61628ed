import { Flow } from '@pgflow/dsl'
import { createPinia } from 'pinia'
import { createPgflow, useFlow, usePgflowStore, useRun, useStep } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { createApp, defineComponent, getCurrentInstance, h, nextTick, shallowReactive } from 'vue'
import { createRandom } from '../support/virtual-clock.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { countingScheduler, countListeners, Remains } from '../support/leaks.ts'

const Wait = new Flow<{ name: string }>({ slug: 'wait' }).step({ slug: 'only' }, async () => {
  await fixture.gate.wait()
  return 'done'
})

const fixture = useBackend([Wait])

async function startRuns(count: number): Promise<string[]> {
  const rows = await fixture.backend.db.query<{ run_id: string }>(
    `select (pgflow.start_flow('wait', jsonb_build_object('name', n))).run_id
     from generate_series(1, $1::int) as n`,
    [count],
  )
  return rows.map((row) => row.run_id)
}

/** An app on the store, and everything that could be left of it. */
function createWatchedApp(render: () => ReturnType<typeof h> | null = () => null) {
  const { supabase } = fixture
  const scheduler = countingScheduler()
  const listeners = countListeners()
  const pinia = createPinia()
  const app = createApp({ render })
  app.use(pinia).use(createPgflow({ supabase, scheduler, gcTime: 0, onError: () => {} }))
  app.mount(document.createElement('div'))
  return {
    store: usePgflowStore(pinia),
    unmount: () => app.unmount(),
    left: () => ({
      channels: supabase.getChannels().length,
      timers: scheduler.pending(),
      listeners: listeners(),
    }),
  }
}

const nothing = { channels: 0, timers: 0, listeners: 0 }

describe('what is left', () => {
  it('of 1,000 times observing and letting go: nothing [F25]', async () => {
    const { store, left, unmount } = createWatchedApp()
    const ids = await startRuns(20)
    const remains = new Remains()
    for (let cycle = 0; cycle < 1_000; cycle += 1) {
      const runId = ids[cycle % ids.length] ?? ''
      const observation = store.observeRun(runId)
      remains.watch(observation)
      if (cycle % 50 === 0) await until(() => store.connections[runId]?.status === 'live')
      else if (cycle % 3 === 0) await nextTick()
      observation.release()
    }
    await until(() => left().timers === 0)
    expect(left()).toEqual(nothing)
    expect(Object.values(store.connections).every(({ status }) => status === 'idle')).toBe(true)
    expect(remains.watched).toBe(1_000)
    expect(await remains.held()).toBeLessThanOrEqual(1)
    unmount()
  })

  it('of pages that come and go at random: nothing, and while they last one channel a run [F22]', async () => {
    const ids = await startRuns(6)
    const remains = new Remains()
    const remember = () => {
      const instance = getCurrentInstance()
      if (instance) remains.watch(instance)
    }
    const Badge = defineComponent({
      props: { runId: { type: String, required: true } },
      setup(props) {
        remember()
        const { step } = useStep(() => props.runId, 'only')
        return () => h('b', step.value?.status)
      },
    })
    const Page = defineComponent({
      props: { runId: { type: String, required: true } },
      setup(props) {
        remember()
        const { run, connection } = useRun(() => props.runId, { onEnded: () => remember() })
        return () => h('p', [run.value?.status, connection.value.status, h(Badge, props)])
      },
    })
    const Starter = defineComponent({
      setup() {
        remember()
        const { start, status } = useFlow<typeof Wait>('wait')
        void start({ name: 'again' })
        return () => h('i', status.value)
      },
    })
    /** What each of four places on the page shows: nothing, a form, or a run. */
    const places = shallowReactive<(string | null)[]>([null, null, null, null])
    const show = (what: string | null, key: number) => {
      if (what === null) return null
      return what === 'start' ? h(Starter, { key }) : h(Page, { key, runId: what })
    }
    const { store, left, unmount } = createWatchedApp(() => h('div', places.map(show)))

    const random = createRandom(20_261_123)
    const pick = <T>(values: readonly T[]): T | undefined =>
      values[Math.floor(random() * values.length)]
    for (let change = 0; change < 300; change += 1) {
      places[Math.floor(random() * places.length)] = pick([null, 'start', ...ids]) ?? null
      if (random() < 0.6) await nextTick()
      if (random() < 0.02) fixture.backend.realtime.faults.killSockets()
      if (change % 60 === 59) {
        const shown = [...new Set(places.filter((place) => place !== null && place !== 'start'))]
        await until(() => shown.every((id) => store.connections[id ?? '']?.status === 'live'))
        const topics = fixture.supabase.getChannels().map(({ topic }) => topic)
        expect(new Set(topics).size).toBe(topics.length)
        for (const id of shown) expect(topics).toContain(`realtime:pgflow:run:${id ?? ''}`)
      }
    }
    places.fill(null)
    await nextTick()
    await until(() => left().channels + left().timers + left().listeners === 0)
    unmount()
    expect(left()).toEqual(nothing)
    expect(remains.watched).toBeGreaterThan(100)
    await until(() => fixture.supabase.getChannels().length === 0)
    // The last page is still the subtree that the app has rendered before.
    expect(await remains.held()).toBeLessThanOrEqual(2)
  })

  it('of an app that unmounts in the middle of everything: nothing', async () => {
    const ids = await startRuns(5)
    const { store, left, unmount } = createWatchedApp()
    for (const id of ids) store.observeRun(id)
    const starting = store.startFlow<typeof Wait>('wait', { name: 'late' }).catch(() => 'given up')
    const waiting = store.waitForRun(ids[0] ?? '').catch(() => 'given up')
    expect(left().channels).toBeGreaterThan(0)
    unmount()
    expect(left()).toMatchObject({ channels: 0, listeners: 0 })
    expect(await starting).toBe('given up')
    expect(await waiting).toBe('given up')
    expect(left()).toEqual(nothing)
    for (const table of Object.values(store.$state))
      expect(['{}', '[]']).toContain(JSON.stringify(table))
  })
})
