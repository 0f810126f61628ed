import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { useRun } from 'pinia-pgflow'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Backend } from '../../playground/backend/index.ts'
import { mountApp } from '../support/app.ts'
import { bootBackend, connect, createGate, until } from '../support/backend.ts'
import { Recording } from './support/recording.ts'

let backend: Backend
let supabase: SupabaseClient
let recording: Recording
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

beforeAll(async () => {
  backend = await bootBackend([Two])
})
afterAll(() => backend.close())
beforeEach(() => {
  ;[first, second] = [createGate(), createGate()]
  recording = new Recording()
  supabase = connect(backend, recording.fetch)
})
afterEach(async () => {
  first.open()
  second.open()
  backend.realtime.faults.restoreReplication()
  await supabase.removeAllChannels()
})

/** A run that is live, and a way to make its channel deaf. */
async function liveRun() {
  const [row] = await backend.db.query<{ run_id: string }>(
    `select run_id from pgflow.start_flow('two', '{"name": "Ada"}')`,
  )
  const app = mountApp(supabase, () => useRun<typeof Two>(row?.run_id))
  await until(() => app.result.connection.value.status === 'live')
  return app
}

it('Realtime loses messages without a word: what is missed is found, and the run says so', async () => {
  const { result, traced, wrapper } = await liveRun()
  backend.realtime.faults.loseReplication()
  first.open()
  await until(() => result.step('first')?.status === 'completed')
  expect(traced('deaf')).toBe(1)
  expect(result.connection.value).toMatchObject({
    status: 'polling',
    error: { code: 'realtime_silent' },
  })
  backend.realtime.faults.restoreReplication()
  second.open()
  // Heard again.
  await until(() => result.run.value?.status === 'completed')
  await until(() => result.connection.value.status === 'closed')
  expect(result.error.value).toBeNull()
  wrapper.unmount()
})

it('a quiet run is asked for by its seq alone: no snapshot is read to learn that nothing is new', async () => {
  const { result, traced, wrapper } = await liveRun()
  const before = recording.calls.length
  await until(() => traced('probe') > 0)
  await until(() => recording.calls.length > before)
  expect(recording.calls.slice(before).map(({ name }) => name)).toEqual(['get_run_seqs'])
  expect(result.connection.value).toMatchObject({ status: 'live', error: null })
  wrapper.unmount()
})
