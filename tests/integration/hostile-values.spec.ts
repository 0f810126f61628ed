import { Flow, type Json } from '@pgflow/dsl'
import { usePgflowStore, useRun } from 'pinia-pgflow'
import { expect, it } from 'vitest'
import { systemScheduler } from '../../src/model/scheduler.ts'
import { openSharedChannel } from '../../src/transport/shared-channel.ts'
import { mountApp } from '../support/app.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { WireClient } from '../support/wire-client.ts'

const Open = new Flow<Json>({ slug: 'open' }).step({ slug: 'only' }, async () => {
  await fixture.gate.wait()
  return 'done'
})

const fixture = useBackend([Open])

function deepText(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth)
}

it('an input deeper than supabase-js can write fails at once, and starts nothing', async () => {
  const { store, reported, wrapper } = mountApp(fixture.supabase, () => usePgflowStore())
  for (const depth of [3_000, 4_000, 100_000]) {
    const input = JSON.parse(deepText(depth)) as Json
    await expect(store.startFlow('open', input)).rejects.toMatchObject({
      code: 'invalid_input',
      message: 'The input is too large or nested too deeply to send.',
    })
  }
  expect(reported).toEqual([])
  expect(store.runs).toEqual({})
  wrapper.unmount()
})

it('forged broadcasts nested deeper than the stack are shown, and other runs continue', async () => {
  const { result, store, wrapper } = mountApp(fixture.supabase, () => {
    const store = usePgflowStore()
    const started = store.startFlow('open', { text: 'a' })
    return { started }
  })
  const { run_id } = await result.started
  const app = mountApp(fixture.supabase, () => useRun(run_id))
  await until(() => app.result.connection.value.status === 'live')
  const forger = await WireClient.connect(fixture.backend)
  await forger.join(`pgflow:run:${run_id}`)
  const { seq } = app.result.connection.value
  // As text: this engine cannot write such a value either.
  for (const next of [1, 2]) {
    const payload = `{"run_id":"${run_id}","seq":${(seq ?? 0) + next},"step_slug":"only","output":${deepText(3_000)}}`
    const message = `{"event":"only:completed","type":"broadcast","payload":${payload}}`
    forger.socket.send(`["1",null,"realtime:pgflow:run:${run_id}","broadcast",${message}]`)
  }
  await until(() => app.traced('event') >= 2)
  expect(Array.isArray(app.result.step('only')?.output)).toBe(true)
  fixture.gate.open()
  const other = await store.startFlow('open', { text: 'b' })
  expect((await store.waitForRun(other.run_id)).output).toEqual({ only: 'done' })
  expect(store.runById(run_id)?.input).toEqual({ text: 'a' })
  forger.socket.close()
  app.wrapper.unmount()
  wrapper.unmount()
})

it('what a handler throws is reported, and the socket stays', async () => {
  const { store, wrapper } = mountApp(fixture.supabase, () => usePgflowStore())
  const { run_id: runId } = await store.startFlow('open', {})
  const heard: string[] = []
  const channel = openSharedChannel(
    {
      supabase: fixture.supabase,
      scheduler: systemScheduler(),
      isPrivate: false,
      topic: 'mine',
      runId,
    },
    {
      onEvent: ({ type }) => {
        heard.push(type)
        throw new Error('a bug')
      },
      // Once more when the stream of the database is ready.
      onJoined: () => heard.push('joined'),
      onDown: (error) => heard.push(error.code),
      onMalformed: (error) => heard.push(error.code),
    },
  )
  await until(() => heard.length >= 2)
  const send = (event: string) =>
    fixture.backend.db.query(`select realtime.send($1::jsonb, $2, 'mine', false)`, [
      JSON.stringify({ run_id: runId, seq: 1, step_slug: 'only' }),
      event,
    ])
  await send('only:started')
  await send('only:progress')
  await until(() => heard.length >= 6)
  expect(heard.filter((each) => each.startsWith('step'))).toEqual(['step:started', 'step:progress'])
  expect(heard.filter((each) => each === 'malformed_message')).toHaveLength(2)
  channel.close()
  wrapper.unmount()
})
