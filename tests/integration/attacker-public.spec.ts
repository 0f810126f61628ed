import { randomUUID } from 'node:crypto'
import { Flow } from '@pgflow/dsl'
import { useRun } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { mountApp } from '../support/app.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { ask, codeOf } from './support/raw-api.ts'
import { WireClient } from '../support/wire-client.ts'

const Open = new Flow<{ text: string }>({ slug: 'open' }).step(
  { slug: 'only' },
  async ({ run }) => {
    await fixture.gate.wait()
    return run.text
  },
)

const fixture = useBackend([Open])
const api = 'pgflow_client'

async function tokenOf(sub: string): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 3600
  return fixture.backend.keys.sign({ role: 'authenticated', sub, exp })
}

async function start(token?: string): Promise<string> {
  const runId = randomUUID()
  const body = { p_flow_slug: 'open', p_input: { text: 'a b c' }, p_run_id: runId }
  const answer = await ask(fixture.backend, 'rpc/start_flow_with_states', {
    schema: api,
    token,
    body,
  })
  expect(answer.status).toBe(200)
  return runId
}

describe('while runs are public, anybody who does not have the id of a run', () => {
  it('finds it in no list', async () => {
    const token = await tokenOf(randomUUID())
    const runId = await start(token)
    const list = (as?: string) =>
      ask(fixture.backend, 'rpc/list_runs', { schema: api, token: as, body: { p_limit: 100 } })
    expect((await list(token)).body).toContain(runId)
    expect((await list(await tokenOf(randomUUID()))).body).toBe('[]')
    expect(codeOf(await list())).toBe('PT401')
    fixture.gate.open()
  })
})

describe('anybody who has the id of a public run can send on its channel, but', () => {
  async function observed() {
    const runId = await start()
    const app = mountApp(fixture.supabase, () => useRun(runId))
    await until(() => app.result.connection.value.status === 'live')
    const attacker = await WireClient.connect(fixture.backend)
    await attacker.join(`pgflow:run:${runId}`)
    const forge = (event: string, payload: Record<string, unknown>) => {
      const frame = { type: 'broadcast', event, payload }
      attacker.send('1', '9', `realtime:pgflow:run:${runId}`, 'broadcast', frame)
    }
    return { runId, forge, ...app, view: app.result }
  }

  it('what does not parse, or is about another run, is reported and not applied', async () => {
    const { runId, forge, view, reported, store, wrapper } = await observed()
    const other = randomUUID()
    const before = JSON.stringify([view.run.value, view.steps.value])
    const forgeries = [
      { run_id: other, seq: 9, event_type: 'run:failed', status: 'failed' },
      { seq: 9, event_type: 'run:failed', status: 'failed' },
      { run_id: runId, seq: 'x', event_type: 'run:failed', status: 'failed' },
      { run_id: runId, seq: -1, event_type: 'run:failed', status: 'failed' },
      { run_id: runId, seq: 9, event_type: 'run:failed', status: { failed: true } },
      { run_id: runId, seq: 9, event_type: 'only:failed', step_slug: 7, status: 'failed' },
    ]
    for (const payload of forgeries) forge('run:failed', payload)
    await until(() => reported.length === forgeries.length)
    expect(reported.map((error) => error.code)).toEqual(forgeries.map(() => 'malformed_message'))
    expect(JSON.stringify([view.run.value, view.steps.value])).toBe(before)
    expect(store.runById(other)).toBeUndefined()
    fixture.gate.open()
    await until(() => view.run.value?.status === 'completed')
    wrapper.unmount()
  })
})
