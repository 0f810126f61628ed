import { Flow } from '@pgflow/dsl'
import { useFlow, usePgflowStore } from 'pinia-pgflow'
import { expect, it } from 'vitest'
import { mountApp } from '../support/app.ts'
import { useBackend } from '../support/fixture.ts'

/** Slugs whose order says nothing about the flow's. */
const Report = new Flow<{ words: string[] }>({ slug: 'report' })
  .step({ slug: 'split' }, ({ run }) => run.words)
  .map({ slug: 'each', array: 'split' }, (word) => word.length)
  .step({ slug: 'beside' }, () => 1)
  .step({ slug: 'all', dependsOn: ['each', 'beside'] }, () => 'done')

const fixture = useBackend([Report], { isRecorded: true })

const asked = () => fixture.recording.calls.filter(({ name }) => name === 'get_flow')

it('returns the steps of a flow with types and dependencies, requested once for many', async () => {
  const { result: store, wrapper } = mountApp(fixture.supabase, () => usePgflowStore())
  expect(store.flowBySlug('report')).toBeUndefined()
  const [shape, again] = await Promise.all([store.fetchFlow('report'), store.fetchFlow('report')])
  expect(shape).toEqual({
    flow_slug: 'report',
    steps: [
      { step_slug: 'split', step_type: 'single', deps: [] },
      { step_slug: 'each', step_type: 'map', deps: ['split'] },
      { step_slug: 'beside', step_type: 'single', deps: [] },
      { step_slug: 'all', step_type: 'single', deps: ['beside', 'each'] },
    ],
  })
  expect(again).toEqual(shape)
  expect(asked()).toHaveLength(1)
  expect(store.flowBySlug('report')).toEqual(shape)
  expect(JSON.parse(JSON.stringify(store.$state))).toEqual(store.$state)
  await store.fetchFlow('report')
  expect(asked()).toHaveLength(2)
  wrapper.unmount()
})

it('is not needed for the order of steps: runs bring it along', async () => {
  const { result, store, wrapper } = mountApp(fixture.supabase, () =>
    useFlow<typeof Report>('report'),
  )
  await result.startAsync({ words: ['a'] })
  const order = () => result.steps.value.map((step) => step.step_slug)
  expect(asked()).toEqual([])
  expect(order()).toEqual(['split', 'each', 'beside', 'all'])
  await store.fetchFlow('report')
  expect(order()).toEqual(['split', 'each', 'beside', 'all'])
  wrapper.unmount()
})

it('rejects for an unknown flow, and can be called again', async () => {
  const { result: store, wrapper } = mountApp(fixture.supabase, () => usePgflowStore())
  const failure = { code: 'flow_not_found' }
  await expect(store.fetchFlow('reprot')).rejects.toMatchObject(failure)
  await expect(store.fetchFlow('reprot')).rejects.toMatchObject(failure)
  expect(asked()).toHaveLength(2)
  expect(store.flows).toEqual([])
  wrapper.unmount()
})

it('changes nothing any more once the app has unmounted', async () => {
  fixture.recording.isLost = true
  const { result: store, wrapper } = mountApp(fixture.supabase, () => usePgflowStore())
  const shape = store.fetchFlow('report')
  wrapper.unmount()
  await expect(shape).rejects.toMatchObject({ code: 'aborted' })
  expect(store.flows).toEqual([])
})
