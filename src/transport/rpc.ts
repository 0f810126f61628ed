import type { SupabaseClient } from '@supabase/supabase-js'
import { PgflowError, type PgflowErrorCode } from '../errors.ts'
import type { Json, RunSnapshot } from '../model/entities.ts'
import { parseSnapshot } from '../model/wire.ts'

/** The schema that this project's migration exposes. */
export const apiSchema = 'pgflow_client'

/** Calls `start_flow_with_states`. */
export async function callStartFlow(
  supabase: SupabaseClient,
  flowSlug: string,
  input: Json,
  runId: string,
  signal: AbortSignal,
): Promise<RunSnapshot> {
  const args = { p_flow_slug: flowSlug, p_input: input, p_run_id: runId }
  const [snapshot] = await call(supabase, 'start_flow_with_states', args, signal)
  if (snapshot) return snapshot
  throw new PgflowError('malformed_reply', 'The database started the run but returned no row.')
}

/** Calls `get_run_with_states`, or `get_runs_with_states` for several; unknown runs are left out. */
export function callGetRuns(
  supabase: SupabaseClient,
  runIds: readonly string[],
  signal: AbortSignal,
): Promise<RunSnapshot[]> {
  const [only] = runIds
  return runIds.length === 1 && only !== undefined
    ? call(supabase, 'get_run_with_states', { p_run_id: only }, signal)
    : call(supabase, 'get_runs_with_states', { p_run_ids: [...runIds] }, signal)
}

async function call(
  supabase: SupabaseClient,
  name: string,
  args: Record<string, Json>,
  signal: AbortSignal,
): Promise<RunSnapshot[]> {
  const reply = await supabase.schema(apiSchema).rpc(name, args).abortSignal(signal)
  if (reply.error) throw fromFailure(reply.error, reply.status, signal)
  const rows: unknown = reply.data
  if (!Array.isArray(rows)) throw malformed(name, 'expected an array of rows')
  return rows.map((row) => {
    const snapshot = parseSnapshot(row)
    if (snapshot.ok) return snapshot.value
    throw malformed(name, snapshot.reason)
  })
}

function malformed(name: string, reason: string): PgflowError {
  return new PgflowError('malformed_reply', `${name} returned something unexpected: ${reason}`, {
    hint: 'Run the migration of the same version as the installed package.',
  })
}

interface Failure {
  code?: string | null
  message: string
  hint?: string | null
}

const hints: Partial<Record<PgflowErrorCode, string>> = {
  schema_not_exposed: `Add ${apiSchema} to the exposed schemas of the API settings (config.toml: [api] schemas).`,
  not_migrated: 'Run the migration that comes with pinia-pgflow.',
  unauthorized: 'Check the API key, and sign in again if the session has expired.',
  unreachable:
    'Check the network and the address of the project. Starting again with the same run id is safe.',
}

/** The SQLSTATEs of this project's SQL, and the codes of PostgREST. */
const codes: Record<string, PgflowErrorCode> = {
  PT404: 'flow_not_found',
  PT403: 'flow_not_allowed',
  PT401: 'not_signed_in',
  PT409: 'run_conflict',
  PT422: 'invalid_input',
  '22P02': 'invalid_input',
  PGRST102: 'invalid_input',
  PGRST106: 'schema_not_exposed',
  PGRST202: 'not_migrated',
  PGRST301: 'unauthorized',
  PGRST302: 'unauthorized',
  PGRST303: 'unauthorized',
  '42501': 'unauthorized',
}

/** Names the cause of a failed call. */
export function fromFailure(failure: Failure, status: number, signal: AbortSignal): PgflowError {
  if (signal.aborted) {
    const reason: unknown = signal.reason
    if (reason instanceof PgflowError) return reason
    return new PgflowError('aborted', 'The call was aborted.', { cause: reason })
  }
  const code = codes[failure.code ?? ''] ?? codeOfStatus(status)
  const message = code === 'unreachable' ? 'The server did not answer.' : failure.message
  const hint = hints[code] ?? failure.hint ?? undefined
  return new PgflowError(code, message, { ...(hint !== undefined && { hint }), cause: failure })
}

function codeOfStatus(status: number): PgflowErrorCode {
  if (status === 0 || status === 502 || status === 503 || status === 504) return 'unreachable'
  if (status === 401 || status === 403) return 'unauthorized'
  if (status === 429) return 'rate_limited'
  return 'server_error'
}
