import { useFlow, useStep } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { expect, it } from 'vitest'
import { mountIn } from '../../support/app.ts'

const flows = { pair: { a: {}, b: { deps: ['a'] } } }

it('an attempt whose broadcast was lost is emitted once, from the next snapshot', async () => {
  const pgflow = createTestPgflow({ flows })
  const told: number[] = []
  const { result, wrapper } = mountIn(pgflow, () => {
    const flow = useFlow('pair', { onRetry: (retry) => told.push(retry.attempts_count) })
    return { flow, step: useStep(flow.runId, 'a') }
  })
  await result.flow.startAsync({})
  pgflow.faults.dropMessages('a:retrying')
  await pgflow.latestRun().retry('a', 'once')
  expect(result.step.retry.value).toBeNull()
  await result.flow.startAsync({}, { runId: pgflow.latestRun().id })
  await pgflow.settled()
  expect(result.step.retry.value).toMatchObject({ attempts_count: 1, error_message: 'once' })
  await pgflow.latestRun().retry('a', 'twice')
  expect(result.step.retry.value).toMatchObject({ attempts_count: 2, error_message: 'twice' })
  expect(told).toEqual([1, 2])
  await pgflow.latestRun().complete('a')
  expect(result.step.retry.value).toBeNull()
  wrapper.unmount()
})

it('a run that is read later shows its attempts, and calls no hooks for them', async () => {
  const pgflow = createTestPgflow({ flows })
  const run = pgflow.seedRun('pair', {})
  await run.retry('a', 'before anybody looked')
  const { result, store, wrapper } = mountIn(pgflow, () => useStep(run.id, 'a'))
  const told: string[] = []
  store.onRunChange(({ kind }) => told.push(kind))
  await pgflow.settled()
  expect(result.retry.value?.error_message).toBe('before anybody looked')
  expect(told).toEqual([])
  wrapper.unmount()
})
