import { Flow } from '@pgflow/dsl'
import { useFlow, usePgflowStore, useRun, useStep, type RunHooks } from 'pinia-pgflow'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, ref } from 'vue'
import { mountApp } from '../support/app.ts'
import { createGate, until, type Gate } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { uncaughtDuring } from '../support/uncaught.ts'

const Wait = new Flow<{ fails: boolean }>({ slug: 'wait', maxAttempts: 1 })
  .step({ slug: 'first' }, async ({ run }) => {
    await fixture.gate.wait()
    if (run.fails) throw new Error('the gate was a trap')
    return 1
  })
  .step({ slug: 'second', dependsOn: ['first'] }, ({ first }) => first + 1)

let attempts = 0
let firstGate: Gate
const Flaky = new Flow<{ text: string }>({ slug: 'flaky', baseDelay: 1, maxAttempts: 2 }).step(
  { slug: 'only' },
  async () => {
    attempts += 1
    await (attempts === 1 ? firstGate : fixture.gate).wait()
    if (attempts === 1) throw new Error('not yet')
    return attempts
  },
)

const fixture = useBackend([Wait, Flaky])

beforeEach(() => {
  firstGate = createGate()
  attempts = 0
})

/** Hooks that write down what they hear, in order. */
function listening(heard: string[]): RunHooks {
  return {
    onStarted: (run) => heard.push(`run started: ${run.status}`),
    onStep: (step) => heard.push(`${step.step_slug} ${step.status}`),
    onRetry: (retry, step) => heard.push(`${step.step_slug} again: ${retry.error_message ?? ''}`),
    onCompleted: (run) => heard.push(`completed: ${JSON.stringify(run.output)}`),
    onFailed: (run) => heard.push(`failed: ${run.error_message ?? ''}`),
    onEnded: (run) => heard.push(`ended ${run.status}`),
  }
}

const startedRun = (fails = false) => fixture.startRun('wait', { fails })

async function hasEnded(runId: string): Promise<boolean> {
  const [row] = await fixture.backend.db.query<{ status: string }>(
    'select status from pgflow.runs where run_id = $1',
    [runId],
  )
  return row?.status === 'completed'
}

describe('hooks', () => {
  it('are called for every change of a run that is started, once and in order', async () => {
    const heard: string[] = []
    const { result: flow, wrapper } = mountApp(fixture.client(), () =>
      useFlow('wait', listening(heard)),
    )
    await flow.startAsync({ fails: false })
    fixture.gate.open()
    await until(() => flow.connection.value.status === 'closed')
    expect(heard.filter((line) => !line.includes('first started'))).toEqual([
      'run started: started',
      'first completed',
      'second started',
      'second completed',
      'completed: {"second":2}',
      'ended completed',
    ])
    expect(heard.filter((line) => line.includes('first started')).length).toBeLessThanOrEqual(1)
    wrapper.unmount()
  })

  it('are called for a failure, with the error of the step', async () => {
    const heard: string[] = []
    const { result: flow, wrapper } = mountApp(fixture.client(), () =>
      useFlow('wait', listening(heard)),
    )
    await flow.startAsync({ fails: true })
    fixture.gate.open()
    await until(() => heard.includes('ended failed'))
    expect(heard.slice(-3)).toEqual(['first failed', 'failed: the gate was a trap', 'ended failed'])
    wrapper.unmount()
  })

  it('are not called for a reconnect, and once for what was missed meanwhile [F11]', async () => {
    const runId = await startedRun()
    const heard: string[] = []
    const {
      result: view,
      traced,
      wrapper,
    } = mountApp(fixture.client(), () => useRun(runId, listening(heard)))
    await until(() => view.connection.value.status === 'live')
    heard.length = 0
    const joinedAgain = async () => {
      const before = traced('answer')
      fixture.backend.realtime.faults.killSockets()
      await until(() => view.connection.value.status !== 'live')
      await until(() => view.connection.value.status === 'live')
      expect(traced('answer')).toBeGreaterThan(before)
    }
    await joinedAgain()
    await joinedAgain()
    expect(heard).toEqual([])

    fixture.backend.realtime.faults.loseReplication()
    fixture.gate.open()
    await vi.waitUntil(() => hasEnded(runId), { timeout: 15_000 })
    expect(heard).toEqual([])
    fixture.backend.realtime.faults.killSockets()
    await until(() => heard.includes('ended completed'))
    fixture.backend.realtime.faults.restoreReplication()
    expect(heard).toEqual([
      'first completed',
      'second completed',
      'completed: {"second":2}',
      'ended completed',
    ])
    wrapper.unmount()
  })

  it('are not called for a run that had ended before it was observed', async () => {
    const runId = await startedRun()
    fixture.gate.open()
    const heard: string[] = []
    const { store, wrapper } = mountApp(fixture.client(), () => usePgflowStore())
    await store.waitForRun(runId)
    store.removeRun(runId)
    const scope = effectScope()
    const view = scope.run(() => useRun(runId, listening(heard)))
    await until(() => view?.connection.value.status === 'closed')
    expect(view?.run.value?.status).toBe('completed')
    expect(heard).toEqual([])
    scope.stop()
    wrapper.unmount()
  })

  it('are called for the run that is shown, end with their scope, and each is called for itself', async () => {
    const [one, other] = [await startedRun(), await startedRun()]
    const heard: Record<string, string[]> = { stays: [], leaves: [], other: [] }
    const id = ref(other)
    const leaving = effectScope()
    const { result: view, wrapper } = mountApp(fixture.client(), () => {
      leaving.run(() => useRun(one, listening(heard.leaves ?? [])))
      useRun(id, listening(heard.other ?? []))
      return useRun(one, listening(heard.stays ?? []))
    })
    await until(() => view.connection.value.status === 'live')
    leaving.stop()
    id.value = one
    fixture.gate.open()
    await until(() => heard.stays?.includes('ended completed') ?? false)
    expect(heard.leaves).not.toContain('ended completed')
    expect(heard.other).toContain('ended completed')
    wrapper.unmount()
  })

  it('that throw surface as errors of their own, and stop nothing', async () => {
    const runId = await startedRun()
    const heard: string[] = []
    const { result: view, wrapper } = mountApp(fixture.client(), () => {
      useRun(runId, {
        onStep: (step) => {
          throw new Error(`mine: ${step.step_slug}`)
        },
      })
      return useRun(runId, listening(heard))
    })
    await until(() => view.connection.value.status === 'live')
    const thrown = await uncaughtDuring(async () => {
      fixture.gate.open()
      await until(() => heard.includes('ended completed'))
    })
    expect(thrown).toContain('mine: second')
    wrapper.unmount()
  })

  it('may remove the run they are called for', async () => {
    const runId = await startedRun()
    const heard: string[] = []
    const {
      store,
      result: view,
      wrapper,
    } = mountApp(fixture.client(), () => {
      const store = usePgflowStore()
      store.onRunChange(({ run }) => store.removeRun(run.run_id))
      return useRun(runId, listening(heard))
    })
    await until(() => view.connection.value.status === 'live')
    fixture.gate.open()
    await until(() => heard.length > 0)
    expect(store.runs).toEqual({})
    wrapper.unmount()
  })
})

describe('a step that is retried', () => {
  it('is there until it has ended', async () => {
    const heard: string[] = []
    const { result, wrapper } = mountApp(fixture.client(), () => {
      const flow = useFlow<typeof Flaky>('flaky', listening(heard))
      return { flow, step: useStep(flow.runId, 'only') }
    })
    await result.flow.startAsync({ text: '' })
    await until(() => result.flow.connection.value.status === 'live')
    firstGate.open()
    await until(() => result.step.retry.value !== null)
    expect(result.step.retry.value).toEqual({
      task_index: 0,
      attempts_count: 1,
      error_message: 'not yet',
    })
    expect(result.step.step.value).toMatchObject({ status: 'started', error_message: null })
    expect(heard).toContain('only again: not yet')
    fixture.gate.open()
    await until(() => result.step.step.value?.status === 'completed')
    expect(result.step.retry.value).toBeNull()
    wrapper.unmount()
  })
})
