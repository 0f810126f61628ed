import type { AnyFlow } from '@pgflow/dsl'
import type { Backend } from '../../../playground/backend/index.ts'
import { bootBackend } from '../../support/backend.ts'

/** What users of pgflow's own client run, after pgflow's guide to it; `deps` is for flow shapes. */
export const grants = `
  grant usage on schema pgflow to anon, authenticated;
  grant execute on function
    pgflow.start_flow_with_states(text, jsonb, uuid), pgflow.get_run_with_states(uuid)
    to anon, authenticated;
  grant select on pgflow.flows, pgflow.steps, pgflow.deps to anon, authenticated;
`

/** A database with the unmodified pgflow and nothing of this project. */
export async function bootPlainBackend(flows: readonly AnyFlow[]): Promise<Backend> {
  const backend = await bootBackend(flows, {
    database: { level: 'pgflow' },
    schemas: ['public', 'pgflow'],
  })
  await backend.db.exec(grants)
  return backend
}
