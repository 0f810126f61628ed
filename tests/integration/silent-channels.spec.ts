import { Flow } from '@pgflow/dsl'
import { useRun } from 'pinia-pgflow'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { mountApp } from '../support/app.ts'
import { createGate, until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'

let first = createGate()
let second = createGate()
const Two = new Flow<{ name: string }>({ slug: 'two' })
  .step({ slug: 'first' }, async () => {
    await first.wait()
    return 1
  })
  .step({ slug: 'second', dependsOn: ['first'] }, async () => {
    await second.wait()
    return 2
  })

const fixture = useBackend([Two], { isRecorded: true })
beforeEach(() => {
  ;[first, second] = [createGate(), createGate()]
})

afterEach(() => {
  first.open()
  second.open()
  fixture.backend.realtime.faults.restoreReplication()
})

/** A run that is live, and a way to make its channel deaf. */
async function liveRun() {
  const runId = await fixture.startRun('two', { name: 'Ada' })
  const app = mountApp(fixture.supabase, () => useRun<typeof Two>(runId))
  await until(() => app.result.connection.value.status === 'live')
  return app
}

it('Realtime loses messages without an error: what is missed is found, and the run reports it', async () => {
  const { result, traced, wrapper } = await liveRun()
  fixture.backend.realtime.faults.loseReplication()
  first.open()
  await until(() => result.step('first')?.status === 'completed')
  expect(traced('silent')).toBe(1)
  expect(result.connection.value).toMatchObject({
    status: 'polling',
    error: { code: 'realtime_silent' },
  })
  fixture.backend.realtime.faults.restoreReplication()
  second.open()
  // Heard again.
  await until(() => result.run.value?.status === 'completed')
  await until(() => result.connection.value.status === 'closed')
  expect(result.error.value).toBeNull()
  wrapper.unmount()
})

it('of a run without changes only the seq is requested, and no snapshot', async () => {
  const { result, traced, wrapper } = await liveRun()
  const before = fixture.recording.calls.length
  await until(() => traced('probe') > 0)
  await until(() => fixture.recording.calls.length > before)
  expect(fixture.recording.calls.slice(before).map(({ name }) => name)).toEqual(['get_run_seqs'])
  expect(result.connection.value).toMatchObject({ status: 'live', error: null })
  wrapper.unmount()
})
