import { Flow } from '@pgflow/dsl'
import { REALTIME_SUBSCRIBE_STATES } from '@supabase/supabase-js'
import { useFlow, useRun, type Scheduler } from 'pinia-pgflow'
import { afterEach, describe, expect, it } from 'vitest'
import { ref } from 'vue'
import { defaultTimes } from '../../src/options.ts'
import { mountApp } from '../support/app.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { fastScheduler } from '../support/fast-scheduler.ts'

// What others have met, as docs/faults.md lists it, as far as no other test shows it.

const large = 'x'.repeat(5_000)
const Wait = new Flow<{ name: string }>({ slug: 'wait' })
  .step({ slug: 'first' }, async () => {
    await fixture.gate.wait()
    return large
  })
  .step({ slug: 'second', dependsOn: ['first'] }, ({ first }) => first.length)

const fixture = useBackend([Wait], {
  isRecorded: true,
  realtime: { joinErrorDelayMs: 50, handshakeErrorDelayMs: 50, replicationPollMs: 20 },
})

afterEach(() => {
  fixture.backend.realtime.faults.restoreReplication()
})

const startedRun = () => fixture.startRun('wait', { name: 'Ada' })

/** Resolves when the run has ended in the database, and all of it was sent or lost. */
async function ended(runId: string): Promise<void> {
  const seen = () =>
    fixture.backend.db.query<{ status: string }>(
      'select status from pgflow.runs where run_id = $1',
      [runId],
    )
  while ((await seen())[0]?.status !== 'completed');
  // Realtime reads the messages over the same connection, each in its turn: these come after it.
  for (let turn = 0; turn < 5; turn += 1) await seen()
}

/** The real clock, on which waits of a second and more never end: nothing is found by polling. */
const incurious: Scheduler = {
  now: () => performance.now(),
  random: Math.random,
  after(ms, task) {
    if (ms >= 1_000) return () => {}
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
}
const never = { scheduler: incurious }

describe('messages that are not delivered', () => {
  it('while the stream of the database is down: the run is read when Realtime reports that it is up [F19]', async () => {
    const runId = await startedRun()
    fixture.backend.realtime.faults.loseReplication()
    const { result, wrapper } = mountApp(fixture.supabase, () => useRun<typeof Wait>(runId), never)
    await until(() => result.connection.value.status === 'live')
    fixture.gate.open()
    await ended(runId)
    expect(result.run.value?.status).toBe('started')
    fixture.backend.realtime.faults.restoreReplication()
    await until(() => result.run.value?.status === 'completed')
    wrapper.unmount()
  })

  it('because there is no partition for today: the run is read from time to time [F31]', async () => {
    const partitions = await fixture.backend.db.query<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits
       where inhparent = 'realtime.messages'::regclass`,
    )
    for (const { name } of partitions) await fixture.backend.db.exec(`drop table ${name}`)
    try {
      const {
        result: flow,
        traced,
        wrapper,
      } = mountApp(fixture.supabase, () => useFlow<typeof Wait>('wait'), {
        scheduler: fastScheduler(30),
        startTimeout: 300_000,
        snapshotTimeout: 300_000,
      })
      await flow.startAsync({ name: 'Ada' })
      fixture.gate.open()
      await until(() => flow.status.value === 'completed')
      expect(traced('event')).toBe(0)
      wrapper.unmount()
    } finally {
      await fixture.backend.db.exec('select realtime.stand_in_create_partitions()')
    }
  })

  it('because they are too large: the outputs are read [F15]', async () => {
    await fixture.backend.db.query('select pgflow_realtime.set_max_payload_bytes(2000)')
    try {
      const { result: flow, wrapper } = mountApp(
        fixture.supabase,
        () => useFlow<typeof Wait>('wait'),
        never,
      )
      await flow.startAsync({ name: 'Ada' })
      await until(() => flow.connection.value.status === 'live')
      fixture.gate.open()
      await until(() => flow.status.value === 'completed')
      await until(() => flow.connection.value.status === 'closed')
      expect(flow.step('first')?.output).toBe(large)
      expect(flow.run.value?.output).toEqual({ second: large.length })
      wrapper.unmount()
    } finally {
      await fixture.backend.db.query('select pgflow_realtime.set_max_payload_bytes(200000)')
    }
  })

  it('while the page was in the background: all of it is read when it is seen again [F20]', async () => {
    const runId = await startedRun()
    const { result, wrapper } = mountApp(fixture.supabase, () => useRun<typeof Wait>(runId), never)
    await until(() => result.connection.value.status === 'live')
    try {
      showPage('hidden')
      fixture.backend.realtime.faults.loseReplication()
      fixture.gate.open()
      await ended(runId)
      expect(result.run.value?.status).toBe('started')
    } finally {
      showPage('visible')
    }
    await until(() => result.run.value?.status === 'completed')
    wrapper.unmount()
  })

  function showPage(state: 'hidden' | 'visible'): void {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }
})

describe('channels of the app itself, on the same client', () => {
  it('stay when a run has ended and when the app unmounts [F26]', async () => {
    const heard: string[] = []
    const own = fixture.supabase.channel('own')
    own.on('broadcast', { event: '*' }, ({ event }) => heard.push(event))
    await new Promise<void>((resolve) => {
      own.subscribe((status) => {
        if (status === REALTIME_SUBSCRIBE_STATES.SUBSCRIBED) resolve()
      })
    })
    const { result: flow, wrapper } = mountApp(fixture.supabase, () => useFlow<typeof Wait>('wait'))
    await flow.startAsync({ name: 'Ada' })
    await until(() => flow.connection.value.status === 'live')
    fixture.gate.open()
    await until(() => flow.connection.value.status === 'closed')
    wrapper.unmount()
    expect(fixture.supabase.getChannels()).toEqual([own])
    await fixture.backend.db.query(`select realtime.send('{}', 'still here', 'own', false)`)
    await until(() => heard.includes('still here'))
  })

  it('may all be removed at once: the run is joined again [F26]', async () => {
    const runId = await startedRun()
    const { result, traced, wrapper } = mountApp(fixture.supabase, () => useRun<typeof Wait>(runId))
    await until(() => result.connection.value.status === 'live')
    await fixture.supabase.removeAllChannels()
    await until(() => result.connection.value.status !== 'live')
    await until(() => result.connection.value.status === 'live')
    const events = traced('event')
    fixture.gate.open()
    await until(() => result.run.value?.status === 'completed')
    expect(traced('event')).toBeGreaterThan(events)
    wrapper.unmount()
  })
})

describe('what is given to useRun', () => {
  it('is compared by value: a getter that runs again changes nothing [F14]', async () => {
    const route = ref({ params: { runId: await startedRun() }, hash: '' })
    const { result, wrapper } = mountApp(fixture.supabase, () =>
      useRun<typeof Wait>(() => route.value.params.runId),
    )
    await until(() => result.connection.value.status === 'live')
    const channels = fixture.supabase.getChannels()
    fixture.recording.calls.length = 0
    route.value = { params: { ...route.value.params }, hash: '#steps' }
    await result.refresh()
    expect(fixture.supabase.getChannels()).toEqual(channels)
    expect(fixture.recording.calls).toHaveLength(1)
    wrapper.unmount()
  })
})

describe('a run in which nothing changes', () => {
  it('is called stalled only after pgflow itself has had the time to help [F9]', () => {
    // It gives the task of a dead worker to another one after up to 105 s.
    expect(defaultTimes.stallAfter).toBeGreaterThan(105_000)
  })
})

describe('what later versions of pgflow will say', () => {
  /** Makes the database say it, past the checks of the version it has. */
  async function allowAnyStatus(): Promise<void> {
    await fixture.backend.db.exec(`
      alter table pgflow.runs drop constraint if exists status_is_valid;
      alter table pgflow.step_states drop constraint if exists status_is_valid`)
  }

  it('a run that is cancelled has ended; one with an unknown status has not [C8] [F7]', async () => {
    await allowAnyStatus()
    const runId = await startedRun()
    const { result, store, wrapper } = mountApp(fixture.supabase, () => useRun<typeof Wait>(runId))
    await until(() => result.connection.value.status === 'live')
    const setStatus = (status: string) =>
      fixture.backend.db.exec(`
        update pgflow.step_states set status = '${status}' where run_id = '${runId}';
        update pgflow.runs set status = '${status}' where run_id = '${runId}'`)
    await setStatus('paused')
    await result.refresh()
    expect(result.run.value?.status).toBe('paused')
    expect(result.steps.value.map((step) => step.status)).toEqual(['paused', 'paused'])
    expect(result.progress.value.done).toBe(0)
    expect(result.connection.value.status).toBe('live')

    const waiting = store.waitForRun(runId)
    await setStatus('cancelled')
    await result.refresh()
    await expect(waiting).rejects.toMatchObject({
      code: 'run_failed',
      message: expect.stringContaining('cancelled') as string,
    })
    expect(result.progress.value.done).toBe(2)
    expect(result.connection.value).toMatchObject({ status: 'closed', error: null })
    expect(fixture.supabase.getChannels()).toEqual([])
    wrapper.unmount()
  })

  it('a step that is skipped is done, and has its reason [F10]', async () => {
    await allowAnyStatus()
    await fixture.backend.db.exec(`
      alter table pgflow.step_states add column skip_reason text;
      alter table pgflow.step_states add column skipped_at timestamptz`)
    const runId = await startedRun()
    const { result, traced, wrapper } = mountApp(
      fixture.supabase,
      () => useRun<typeof Wait>(runId),
      never,
    )
    await until(() => result.connection.value.status === 'live')
    await fixture.backend.db.query(
      `update pgflow.step_states
       set status = 'skipped', skip_reason = 'condition_unmet', skipped_at = now()
       where run_id = $1 and step_slug = 'second'`,
      [runId],
    )
    await until(() => result.step('second')?.status === 'skipped')
    expect(result.step('second')).toMatchObject({ skip_reason: 'condition_unmet', output: null })
    expect(result.step('second')?.skipped_at).not.toBeNull()
    expect(result.progress.value).toMatchObject({ total: 2, done: 1 })
    expect(result.connection.value.status).toBe('live')
    expect(traced('gap')).toBe(0)
    wrapper.unmount()
  })
})
