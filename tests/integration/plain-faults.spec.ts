import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { useFlow, useRun } from 'pinia-pgflow'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mountApp } from '../support/app.ts'
import { connect, createGate, until, type Gate } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { bootPlainBackend } from './support/plain-backend.ts'

// What pgflow's own client is known to get wrong on the same database and the same broadcasts.

const Answer = new Flow<{ fails: boolean }>({ slug: 'answer', maxAttempts: 1 })
  .step({ slug: 'think' }, async ({ run }) => {
    await fixture.gate.wait()
    if (run.fails) throw new Error('no answer')
    return '42'
  })
  .step({ slug: 'say', dependsOn: ['think'] }, ({ think }) => think)

const fixture = useBackend([Answer], { boot: bootPlainBackend })
let supabase: SupabaseClient
/** Answers of reads wait here on their way back. */
let held: Gate | null

const slow: typeof fetch = async (input, init) => {
  const answer = await fetch(input, init)
  const url = input instanceof Request ? input.url : String(input)
  if (url.endsWith('get_run_with_states')) await held?.wait()
  return answer
}
beforeEach(() => {
  held = null
  supabase = connect(fixture.backend, slow)
})

afterEach(async () => {
  held?.open()
  await supabase.removeAllChannels()
})

const mountAnswer = () =>
  mountApp(supabase, () => useFlow<typeof Answer>('answer'), { schema: 'pgflow' })

/** A run that is live, with a step that has started and one that has not. */
async function liveRun(fails = false) {
  const app = mountAnswer()
  const run = await app.result.startAsync({ fails })
  await until(() => app.result.connection.value.status === 'live')
  return { ...app, flow: app.result, runId: run.run_id }
}

describe('faults that are not repeated', () => {
  it('a connection that comes back while steps are still created is live again [C1]', async () => {
    const { flow, reported, wrapper } = await liveRun()
    expect(flow.step('say')?.status).toBe('created')
    fixture.backend.realtime.faults.killSockets()
    await until(() => flow.connection.value.status !== 'live')
    await until(() => flow.connection.value.status === 'live')
    const known = reported.length
    fixture.gate.open()
    await until(() => flow.connection.value.status === 'closed')
    expect(flow.run.value?.status).toBe('completed')
    expect(reported.slice(known)).toEqual([])
    wrapper.unmount()
  })

  it('what changed while the connection was gone is read [C2]', async () => {
    const { flow, runId, wrapper } = await liveRun()
    // By hand: nothing is sent of it.
    await fixture.backend.db.query(
      `update pgflow.step_states set started_at = '2026-01-02 03:04:05+00', created_at = '2026-01-01'
       where run_id = $1 and step_slug = 'think'`,
      [runId],
    )
    fixture.backend.realtime.faults.killSockets()
    await until(() => flow.connection.value.status !== 'live')
    await until(() => flow.connection.value.status === 'live')
    expect(flow.step('think')?.started_at).toContain('2026-01-02')
    wrapper.unmount()
  })

  it('a snapshot that is late does not take back what was received meanwhile [C3]', async () => {
    const { flow, store, runId, wrapper } = await liveRun()
    held = createGate()
    const reading = store.refreshRun(runId)
    await held.reached
    fixture.gate.open()
    await until(() => flow.step('think')?.status === 'completed')
    await until(() => flow.run.value?.status === 'completed')
    held.open()
    await reading
    expect(flow.run.value?.status).toBe('completed')
    expect(flow.step('think')).toMatchObject({ status: 'completed', output: '42' })
    await until(() => flow.connection.value.status === 'closed')
    expect(flow.step('think')?.output).toBe('42')
    wrapper.unmount()
  })

  it('waitForRun rejects at once for a run that fails, also for a later caller [C5]', async () => {
    const { store, runId, wrapper } = await liveRun(true)
    const abortedAlready = AbortSignal.abort()
    await expect(store.waitForRun(runId, { signal: abortedAlready })).rejects.toMatchObject({
      code: 'aborted',
    })
    const waiting = store.waitForRun(runId)
    fixture.gate.open()
    await expect(waiting).rejects.toMatchObject({
      code: 'run_failed',
      message: expect.stringContaining('no answer') as string,
    })
    wrapper.unmount()
  })

  it('after waiting the steps are still there, and the channel is not [C7]', async () => {
    const { flow, store, runId, wrapper } = await liveRun()
    fixture.gate.open()
    await store.waitForRun(runId)
    expect(flow.steps.value.map(({ status, output }) => [status, output])).toEqual([
      ['completed', '42'],
      ['completed', '42'],
    ])
    expect(supabase.getChannels()).toEqual([])
    wrapper.unmount()
    expect(store.stepOf(runId, 'think')).toMatchObject({ status: 'completed', output: '42' })
  })

  it('a status that this version does not know is shown [C8]', async () => {
    const { flow, store, runId, reported, traced, wrapper } = await liveRun()
    await fixture.backend.db.exec('alter table pgflow.step_states drop constraint status_is_valid')
    await fixture.backend.db.query(
      `update pgflow.step_states set status = 'paused' where run_id = $1 and step_slug = 'think'`,
      [runId],
    )
    // As a later pgflow would send it: the step, and something about the run.
    const send = (event: string, payload: object) =>
      fixture.backend.db.query('select realtime.send($1, $2, $3, false)', [
        { run_id: runId, event_type: event.replace(/:\w+:/, ':'), ...payload },
        event,
        `pgflow:run:${runId}`,
      ])
    await send('step:think:paused', { step_slug: 'think', status: 'paused' })
    await until(() => flow.step('think')?.status === 'paused')
    await until(() => flow.connection.value.status === 'live')
    const answers = traced('answer')
    await send('run:renamed', { name: 'x' })
    await until(() => traced('answer') > answers)
    await until(() => flow.connection.value.status === 'live')
    expect(reported).toEqual([])
    // And back, as the database says.
    await fixture.backend.db.query(
      `update pgflow.step_states set status = 'started' where run_id = $1`,
      [runId],
    )
    await store.refreshRun(runId)
    expect(flow.step('think')?.status).toBe('started')
    wrapper.unmount()
  })

  it('the text "42" stays a text, in broadcasts and in snapshots [C9]', async () => {
    const { flow, store, runId, wrapper } = await liveRun()
    fixture.gate.open()
    await until(() => flow.step('think')?.status === 'completed')
    expect(flow.step('think')?.output).toBe('42')
    const run = await store.waitForRun(runId)
    expect(run.output).toEqual({ say: '42' })
    wrapper.unmount()
    const later = mountApp(connect(fixture.backend), () => useRun(runId), { schema: 'pgflow' })
    await later.result.ready
    expect(later.result.step('say')?.output).toBe('42')
    later.wrapper.unmount()
  })
})
