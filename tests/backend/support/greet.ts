import { Flow } from '@pgflow/dsl'
import { expect } from 'vitest'
import type { Backend } from '../../../playground/backend/index.ts'
import { connect } from '../../support/backend.ts'
import { Listener } from '../../support/listener.ts'

/** The flow that `servesARun` starts. */
export const Greet = new Flow<{ name: string }>({ slug: 'greet' }).step(
  { slug: 'hello' },
  ({ run }) => `Hello ${run.name}`,
)

/** The process that was attacked serves a run from start to end, heard live. */
export async function servesARun(backend: Backend): Promise<void> {
  const client = connect(backend)
  const runId = crypto.randomUUID()
  const listener = new Listener(client.channel(`pgflow:run:${runId}`))
  await listener.status('SUBSCRIBED')
  const args = { p_flow_slug: 'greet', p_input: { name: 'Ada' }, p_run_id: runId }
  const started = await client.schema('pgflow_client').rpc('start_flow_with_states', args)
  expect(started.error).toBeNull()
  const { payload } = await listener.event('run:completed')
  expect(payload.output).toEqual({ hello: 'Hello Ada' })
  await client.removeAllChannels()
}
