import { RunProgress } from 'pinia-pgflow/components'
import { expect, it } from 'vitest'
import { createBackend, mountShown } from './support/mounted.ts'

it('RunProgress counts steps and tasks by their outcome', async () => {
  const pgflow = createBackend()
  const run = pgflow.seedRun('report', {}, { completed: { list: undefined } })
  const { wrapper } = await mountShown(pgflow, RunProgress, { runId: run.id })
  const bar = wrapper.get('[role=progressbar]')
  expect(bar.attributes()).toMatchObject({
    'aria-valuenow': '25',
    'aria-valuetext': '1 of 4 steps completed, run started',
    'aria-label': 'Progress of report',
  })
  await run.progress('each', 1)
  expect(bar.attributes('aria-valuenow')).toBe('33')
  expect(wrapper.get('.pgflow-part-completed').attributes('style')).toBe('width: 25%;')
  expect(wrapper.find('.pgflow-part-running').exists()).toBe(true)
  await run.fail('title', 'gave up')
  expect(bar.attributes('aria-valuetext')).toContain('1 failed, run failed')
  expect(wrapper.find('.pgflow-part-failed').exists()).toBe(true)
  expect(wrapper.find('.pgflow-part-running').exists()).toBe(false)
  wrapper.unmount()
})

it('RunProgress is at 100 when the run has completed, and its label is a slot', async () => {
  const pgflow = createBackend()
  const run = pgflow.seedRun('report', {})
  const label = '<template #label="{ percent, run }">{{ run.status }} {{ percent }}</template>'
  const { wrapper } = await mountShown(pgflow, RunProgress, { runId: run.id }, { label })
  expect(wrapper.text()).toBe('started 0')
  await run.play()
  expect(wrapper.text()).toBe('completed 100')
  wrapper.unmount()
})

it('RunProgress shows no figure without a run', async () => {
  const pgflow = createBackend()
  const { wrapper } = await mountShown(pgflow, RunProgress, { runId: crypto.randomUUID() })
  const bar = wrapper.get('[role=progressbar]')
  expect(bar.attributes('aria-valuenow')).toBeUndefined()
  expect(bar.attributes('aria-valuetext')).toContain('There is no run')
  wrapper.unmount()
})
