import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import type { FaultState } from '../../../playground/backend/faults/state.ts'
import type { Backend } from '../../../playground/backend/index.ts'

export const Greet = new Flow<{ name: string }>({ slug: 'greet' }).step(
  { slug: 'hello' },
  ({ run }) => `Hello ${run.name}`,
)

/** What the switches of an embedded backend answer. */
export interface SwitchAnswer {
  status: number
  body: { state?: FaultState; sockets?: number; message?: string }
}

/** Asks the switches as a page does. */
export async function askSwitches(
  { url, anonKey }: Pick<Backend, 'url' | 'anonKey'>,
  method: string,
  path = '',
  body?: unknown,
  headers = {},
): Promise<SwitchAnswer> {
  const response = await fetch(`${url}/embedded/v1/faults${path}`, {
    method,
    headers: { apikey: anonKey, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as SwitchAnswer['body'] }
}

/** Starts a run of `Greet`. */
export function startRun(client: SupabaseClient, runId: string = crypto.randomUUID()) {
  return client.schema('pgflow_client').rpc('start_flow_with_states', {
    p_flow_slug: 'greet',
    p_input: { name: 'Ada' },
    p_run_id: runId,
  })
}

export function readRun(client: SupabaseClient, runId: string) {
  return client.schema('pgflow_client').rpc('get_run_with_states', { p_run_id: runId })
}
