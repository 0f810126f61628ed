import { Flow } from '@pgflow/dsl'
import { PgflowError, useFlow, usePgflowStore, useStep } from 'pinia-pgflow'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mountApp } from '../support/app.ts'
import { createGate, until, type Gate } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'

let gate: Gate
const Wait = new Flow<{ fails: boolean }>({ slug: 'wait', maxAttempts: 1 })
  .step({ slug: 'first' }, async ({ run }) => {
    await gate.wait()
    if (run.fails) throw new Error('the gate was a trap')
    return 1
  })
  .step({ slug: 'second', dependsOn: ['first'] }, ({ first }) => ({ sum: first + 1 }))

const fixture = useBackend([Wait])

beforeEach(() => {
  gate = createGate()
})

afterEach(() => {
  gate.open()
})

const mountStore = (options = {}) => mountApp(fixture.supabase, () => usePgflowStore(), options)

describe('waitForRun', () => {
  it('resolves with the output when the run completes, and leaves the channel [C7]', async () => {
    const { store, wrapper } = mountStore({ gcTime: 0 })
    const { run_id } = await store.startFlow<typeof Wait>('wait', { fails: false })
    const waiting = store.waitForRun<typeof Wait>(run_id)
    gate.open()
    const run = await waiting
    expect(run).toMatchObject({ status: 'completed', output: { second: { sum: 2 } } })
    expect(store.stepOf(run_id, 'second')?.status).toBe('completed')
    await until(() => fixture.supabase.getChannels().length === 0)
    wrapper.unmount()
  })

  it('rejects when the run is removed or the app unmounts, and continues after a reset', async () => {
    const { store, wrapper } = mountStore()
    const runs = await Promise.all(
      [1, 2, 3].map(() => store.startFlow<typeof Wait>('wait', { fails: false })),
    )
    const [removed, reset, last] = runs.map(({ run_id }) => ({
      run_id,
      end: store.waitForRun(run_id).then(
        ({ status }) => status,
        (error: unknown) => (error instanceof PgflowError ? error.code : error),
      ),
    }))
    store.$reset()
    store.removeRun(removed?.run_id ?? '')
    expect(await removed?.end).toBe('aborted')
    gate.open()
    expect(await reset?.end).toBe('completed')
    expect(await last?.end).toBe('completed')
    gate = createGate()
    const { run_id } = await store.startFlow<typeof Wait>('wait', { fails: false })
    const unmounted = store.waitForRun(run_id)
    wrapper.unmount()
    await expect(unmounted).rejects.toMatchObject({ code: 'aborted', runId: run_id })
  })

  it('rejects with the error of the step when the run fails [C5]', async () => {
    const { store, wrapper } = mountStore()
    const { run_id } = await store.startFlow<typeof Wait>('wait', { fails: true })
    const waiting = store.waitForRun(run_id)
    gate.open()
    await expect(waiting).rejects.toMatchObject({
      code: 'run_failed',
      message: expect.stringContaining('the gate was a trap') as string,
      runId: run_id,
    })
    await expect(store.waitForRun(run_id)).rejects.toMatchObject({ code: 'run_failed' })
    wrapper.unmount()
  })

  it('resolves for a run that had ended before it was observed', async () => {
    const first = mountStore()
    const { run_id } = await first.store.startFlow<typeof Wait>('wait', { fails: false })
    gate.open()
    await first.store.waitForRun(run_id)
    first.wrapper.unmount()
    const { store, wrapper } = mountStore()
    expect(await store.waitForRun(run_id, { timeout: 10_000 })).toMatchObject({
      status: 'completed',
    })
    wrapper.unmount()
  })

  it('gives up after its timeout and with its signal; the run continues [C5]', async () => {
    const { store, wrapper } = mountStore()
    const { run_id } = await store.startFlow<typeof Wait>('wait', { fails: false })
    await expect(store.waitForRun(run_id, { timeout: 20 })).rejects.toMatchObject({
      code: 'timeout',
      runId: run_id,
    })
    const controller = new AbortController()
    const waiting = store.waitForRun(run_id, { signal: controller.signal })
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
    await expect(store.waitForRun(run_id, { signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
    })
    gate.open()
    expect((await store.waitForRun(run_id)).status).toBe('completed')
    wrapper.unmount()
  })

  it('rejects for a run that does not exist', async () => {
    const { store, wrapper } = mountStore()
    await expect(store.waitForRun(crypto.randomUUID())).rejects.toMatchObject({
      code: 'run_not_found',
    })
    await expect(store.waitForRun('new')).rejects.toMatchObject({ code: 'invalid_input' })
    wrapper.unmount()
  })
})

describe('useStep', () => {
  it('follows one step over the channel of the run', async () => {
    const { result, wrapper } = mountApp(fixture.supabase, () => {
      const flow = useFlow<typeof Wait>('wait')
      return { flow, second: useStep<typeof Wait, 'second'>(flow.runId, 'second') }
    })
    expect(result.second.step.value).toBeNull()
    await result.flow.startAsync({ fails: false })
    expect(result.second.step.value?.status).toBe('created')
    expect(fixture.supabase.getChannels()).toHaveLength(1)
    gate.open()
    await until(() => result.second.step.value?.status === 'completed')
    expect(result.second.step.value?.output?.sum).toBe(2)
    expect(result.second.error.value).toBeNull()
    wrapper.unmount()
  })
})
