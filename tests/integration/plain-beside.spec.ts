import { FlowRunStatus, PgflowClient } from '@pgflow/client'
import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { useFlow, useRun } from 'pinia-pgflow'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Backend } from '../../playground/backend/index.ts'
import { mountApp } from '../support/app.ts'
import { bootBackend, connect, until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { fastScheduler } from '../support/fast-scheduler.ts'
import { bootPlainBackend, grants } from './support/plain-backend.ts'
import { RpcRecorder } from '../support/rpc-recorder.ts'

const Greet = new Flow<{ name: string }>({ slug: 'greet', maxAttempts: 1 })
  .step({ slug: 'clean' }, async ({ run }) => {
    await fixture.gate.wait()
    return run.name.trim()
  })
  .step({ slug: 'upper', dependsOn: ['clean'] }, ({ clean }) => clean.toUpperCase())
const output = { upper: 'ADA' }

const fixture = useBackend([Greet], { boot: bootPlainBackend })

function client(
  target: Backend = fixture.backend,
  fetch?: typeof globalThis.fetch,
): SupabaseClient {
  return fixture.own(connect(target, fetch))
}
const clientOf = (supabase: SupabaseClient) =>
  new PgflowClient<typeof Greet>(supabase, { realtimeStabilizationDelayMs: 0 })
const mountGreet = (supabase: SupabaseClient) =>
  mountApp(supabase, () => useFlow<typeof Greet>('greet'), { schema: 'pgflow' })
beforeEach(() => {
  // pgflow's client tells the console whatever happens to its channels.
  vi.spyOn(console, 'log').mockImplementation(() => {})
})

describe("pgflow's own client, with a Supabase client of its own", () => {
  it('follows what is started here', async () => {
    const { result: flow, store, wrapper } = mountGreet(client())
    const { run_id: runId } = await flow.startAsync({ name: ' Ada ' })
    const theirs = await clientOf(client()).getRun(runId)
    await until(() => flow.connection.value.status === 'live')
    fixture.gate.open()
    expect((await store.waitForRun(runId)).output).toEqual(output)
    await until(() => theirs?.status === FlowRunStatus.Completed)
    expect(theirs?.output).toEqual(output)
    expect(flow.step('clean')).toMatchObject({ status: 'completed', output: 'Ada' })
    wrapper.unmount()
  })

  it('starts what is followed here', async () => {
    const theirs = await clientOf(client()).startFlow('greet', { name: 'Ada' })
    const { result: view, wrapper } = mountApp(client(), () => useRun(theirs.run_id), {
      schema: 'pgflow',
    })
    await until(() => view.connection.value.status === 'live')
    fixture.gate.open()
    await theirs.waitForStatus(FlowRunStatus.Completed, { timeoutMs: 10_000 })
    await until(() => view.connection.value.status === 'closed')
    expect(view.run.value).toMatchObject({ status: 'completed', output })
    expect(view.step('clean')?.output).toBe('Ada')
    wrapper.unmount()
  })
})

describe("pgflow's own client on the same Supabase client", () => {
  it('that was there first keeps its channel: the run is polled, and live when they leave [F23]', async () => {
    const supabase = client()
    const theirs = clientOf(supabase)
    const { run_id: runId } = await theirs.startFlow('greet', { name: 'Ada' })
    const {
      result: view,
      reported,
      wrapper,
    } = mountApp(supabase, () => useRun(runId), {
      schema: 'pgflow',
    })
    await until(() => view.connection.value.status === 'polling')
    expect(view.error.value).toMatchObject({ code: 'channel_taken' })
    expect(view.error.value?.hint).toContain('client of its own')
    expect(reported.map(({ code }) => code)).toContain('channel_taken')
    expect(view.run.value?.status).toBe('started')
    expect(supabase.getChannels()).toHaveLength(1)

    theirs.dispose(runId)
    await until(() => view.connection.value.status === 'live')
    expect(view.error.value).toBeNull()
    fixture.gate.open()
    await until(() => view.connection.value.status === 'closed')
    expect(view.run.value?.output).toEqual(output)
    wrapper.unmount()
  })

  it('that stays does not keep the run from being shown to its end, by either', async () => {
    const supabase = client()
    const theirs = await clientOf(supabase).startFlow('greet', { name: 'Ada' })
    const { result: view, wrapper } = mountApp(supabase, () => useRun(theirs.run_id), {
      schema: 'pgflow',
      scheduler: fastScheduler(30),
      snapshotTimeout: 300_000,
    })
    await until(() => view.connection.value.status === 'polling')
    fixture.gate.open()
    await theirs.waitForStatus(FlowRunStatus.Completed, { timeoutMs: 10_000 })
    await until(() => view.connection.value.status === 'closed')
    expect(view.run.value?.output).toEqual(output)
    expect(theirs.output).toEqual(output)
    wrapper.unmount()
    expect(supabase.getChannels()).toHaveLength(1)
  })

  it('that comes second is never subscribed, and does no harm here', async () => {
    const supabase = client()
    const { result: flow, store, wrapper } = mountGreet(supabase)
    const { run_id: runId } = await flow.startAsync({ name: 'Ada' })
    await until(() => flow.connection.value.status === 'live')
    // It would give up after 20 s; nobody waits for that.
    const heard = vi.fn()
    void clientOf(supabase).subscribeToRun(runId).then(heard, heard)
    expect(supabase.getChannels()).toHaveLength(1)
    fixture.gate.open()
    expect((await store.waitForRun(runId)).output).toEqual(output)
    expect(flow.step('clean')?.output).toBe('Ada')
    expect(heard).not.toHaveBeenCalled()
    wrapper.unmount()
  })

  it('that cuts the channel off does not leave the run silently stale [C11]', async () => {
    const supabase = client()
    const { result: flow, wrapper } = mountGreet(supabase)
    const { run_id: runId } = await flow.startAsync({ name: 'Ada' })
    await until(() => flow.connection.value.status === 'live')
    await supabase.channel(`pgflow:run:${runId}`).unsubscribe()
    expect(flow.connection.value.status).not.toBe('live')
    await until(() => flow.connection.value.status === 'live')
    fixture.gate.open()
    await until(() => flow.connection.value.status === 'closed')
    expect(flow.step('clean')?.output).toBe('Ada')
    wrapper.unmount()
  })
})

describe("with this project's migration beside it", () => {
  it.each(['step:', ''])('and step events named "%s…", it is as right', async (prefix) => {
    const full = await bootBackend([Greet], { schemas: ['public', 'pgflow', 'pgflow_client'] })
    await full.db.exec(grants)
    await full.db.query('select pgflow_realtime.set_step_event_prefix($1)', [prefix])
    const recording = new RpcRecorder()
    const supabase = client(full, recording.fetch)
    const { result: flow, store, reported, wrapper } = mountGreet(supabase)
    const { run_id: runId } = await flow.startAsync({ name: 'Ada' })
    await until(() => flow.connection.value.status === 'live')
    const before = recording.calls.length
    fixture.gate.open()
    expect((await store.waitForRun(runId)).output).toEqual(output)
    expect(flow.step('clean')).toMatchObject({ status: 'completed', output: 'Ada' })
    expect(flow.connection.value).toMatchObject({ seq: null })
    expect(reported).toEqual([])
    // For the end, and perhaps for the join: none for the counted broadcasts.
    expect(recording.calls.length - before).toBeLessThanOrEqual(2)
    wrapper.unmount()
    await supabase.removeAllChannels()
    await full.close()
  })
})
