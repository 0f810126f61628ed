import { Flow } from '@pgflow/dsl'
import { createPinia, type StateTree } from 'pinia'
import { createPgflow, useFlow, usePgflowStore, useRun } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { createApp, ref } from 'vue'
import { mountApp } from '../support/app.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { fastScheduler } from '../support/fast-scheduler.ts'
import { countingScheduler } from '../support/leaks.ts'
import { uncaughtDuring } from '../support/uncaught.ts'

const Wait = new Flow<{ name: string }>({ slug: 'wait' }).step({ slug: 'only' }, async () => {
  await fixture.gate.wait()
  return 'done'
})

const fixture = useBackend([Wait], { isRecorded: true })

const startedRun = () => fixture.startRun('wait', { name: 'Ada' })

describe('one run that cannot be read', () => {
  it('because its id is none does not keep the others from being live', async () => {
    const good = await startedRun()
    const { result, wrapper } = mountApp(
      fixture.supabase,
      () => [useRun(good), useRun('new')] as const,
    )
    await until(() => result[0].connection.value.status === 'live')
    expect(result[0].run.value?.run_id).toBe(good)
    expect(result[0].error.value).toBeNull()
    expect(result[1].connection.value.status).toBe('closed')
    expect(result[1].error.value?.code).toBe('invalid_input')
    wrapper.unmount()
  })

  it('because its row is malformed does not keep the others from being live', async () => {
    const [good, bad] = [await startedRun(), await startedRun()]
    fixture.recording.tamper = (rows) => {
      if (!Array.isArray(rows)) return rows
      return Array.from<unknown>(rows).map((row) =>
        JSON.stringify(row).includes(bad) ? Object.assign({}, row, { steps: 'none' }) : row,
      )
    }
    const { result, wrapper } = mountApp(
      fixture.supabase,
      () => [useRun(good), useRun(bad)] as const,
    )
    await until(() => result[0].connection.value.status === 'live')
    expect(result[0].error.value).toBeNull()
    expect(result[1].error.value?.code).toBe('malformed_reply')
    wrapper.unmount()
  })
})

describe('a store whose state comes from elsewhere', () => {
  it('is not live before a snapshot', async () => {
    const runId = await startedRun()
    const before = mountApp(fixture.supabase, () => useRun(runId))
    await until(() => before.result.connection.value.status === 'live')
    const state = JSON.parse(JSON.stringify(before.pinia.state.value)) as StateTree
    before.wrapper.unmount()

    const pinia = createPinia()
    pinia.state.value = state
    const app = createApp({ render: () => null })
    app.use(pinia).use(createPgflow({ supabase: fixture.supabase }))
    const store = usePgflowStore(pinia)
    expect(store.runs[runId]?.status).toBe('started')
    expect(store.connections[runId]?.status).toBe('idle')
    const { release } = store.observeRun(runId)
    await until(() => store.connections[runId]?.status === 'live')
    release()
  })
})

describe('gcTime: Infinity', () => {
  it('keeps the channel of a run that nobody observes, until the app unmounts', async () => {
    const id = ref<string | null>(await startedRun())
    const { result, store, traced, wrapper } = mountApp(fixture.supabase, () => useRun(id), {
      gcTime: Infinity,
    })
    const runId = id.value ?? ''
    await until(() => result.connection.value.status === 'live')
    id.value = null
    fixture.gate.open()
    // Heard, not asked for: the channel is still there.
    await until(() => store.runs[runId]?.status === 'completed')
    expect(traced('event')).toBeGreaterThan(0)
    wrapper.unmount()
    expect(fixture.supabase.getChannels()).toEqual([])
  })
})

describe('Realtime that cannot even be opened', () => {
  it('does not keep a run from being started, shown and polled', async () => {
    fixture.supabase.channel = () => {
      throw new Error('no WebSocket here')
    }
    const {
      result: flow,
      wrapper,
      reported,
    } = mountApp(fixture.supabase, () => useFlow<typeof Wait>('wait'), {
      scheduler: fastScheduler(30),
      startTimeout: 300_000,
      snapshotTimeout: 300_000,
    })
    await flow.startAsync({ name: 'Ada' })
    fixture.gate.open()
    await until(() => flow.status.value === 'completed')
    expect(reported.map(({ message }) => message).join()).toContain('no WebSocket here')
    wrapper.unmount()
  })
})

describe('an onError that throws', () => {
  it('surfaces as an error of its own and does not stop the sync', async () => {
    const runId = await startedRun()
    const thrown = await uncaughtDuring(async () => {
      fixture.recording.isDown = true
      let isReported = false
      const { result, wrapper } = mountApp(fixture.supabase, () => useRun(runId), {
        onError: ({ code }) => {
          isReported = true
          throw new Error(`mine: ${code}`)
        },
      })
      await until(() => isReported)
      fixture.recording.isDown = false
      await until(() => result.run.value !== null)
      wrapper.unmount()
    })
    expect(thrown).toContain('mine: unreachable')
  })
})

describe('ssr: true', () => {
  it('starts and reads runs, and leaves no channel, timer or listener [F39]', async () => {
    const scheduler = countingScheduler()
    const { result: store, wrapper } = mountApp(fixture.supabase, () => usePgflowStore(), {
      ssr: true,
      scheduler,
    })
    const run = await store.startFlow('wait', { name: 'Ada' })
    expect(run.status).toBe('started')
    const other = await startedRun()
    await store.refreshRun(other)
    expect(store.runs[other]?.status).toBe('started')
    expect(scheduler.pending()).toBe(0)
    expect(fixture.supabase.getChannels()).toEqual([])
    wrapper.unmount()
  })
})
