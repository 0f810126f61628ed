import type { SupabaseClient } from '@supabase/supabase-js'
import { PgflowError, type PgflowErrorCode } from '../errors.ts'
import type { Json, RunSnapshot } from '../model/entities.ts'
import { isRunId } from '../model/run-id.ts'
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
  const name = 'start_flow_with_states'
  const args = { p_flow_slug: flowSlug, p_input: input, p_run_id: runId }
  const [row] = await call(supabase, name, args, signal)
  const snapshot = readRow(name, row)
  if (snapshot instanceof PgflowError) throw snapshot
  return snapshot
}

/**
 * Calls `get_run_with_states`, or `get_runs_with_states` for several. Unknown runs are left out;
 * what is wrong with one run does not keep the others from being read.
 */
export async function callGetRuns(
  supabase: SupabaseClient,
  runIds: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, RunSnapshot | PgflowError>> {
  const results = new Map<string, RunSnapshot | PgflowError>()
  const ids = runIds.filter(isRunId)
  for (const id of runIds) if (!isRunId(id)) results.set(id, notAnId(id))
  const [only] = ids
  if (only === undefined) return results
  const name = ids.length === 1 ? 'get_run_with_states' : 'get_runs_with_states'
  const args = ids.length === 1 ? { p_run_id: only } : { p_run_ids: ids }
  for (const row of await call(supabase, name, args, signal)) {
    const id = idOfRow(row)
    if (id === undefined) throw malformed(name, 'a row without run_id')
    results.set(id, readRow(name, row))
  }
  return results
}

async function call(
  supabase: SupabaseClient,
  name: string,
  args: Record<string, Json>,
  signal: AbortSignal,
): Promise<unknown[]> {
  const reply = await supabase.schema(apiSchema).rpc(name, args).abortSignal(signal)
  if (reply.error) throw fromFailure(reply.error, reply.status, signal)
  const rows: unknown = reply.data
  if (Array.isArray(rows)) return Array.from<unknown>(rows)
  throw malformed(name, 'expected an array of rows')
}

function readRow(name: string, row: unknown): RunSnapshot | PgflowError {
  const snapshot = parseSnapshot(row)
  return snapshot.ok ? snapshot.value : malformed(name, snapshot.reason)
}

function idOfRow(row: unknown): string | undefined {
  if (typeof row !== 'object' || row === null || !('run' in row)) return undefined
  const { run } = row
  if (typeof run !== 'object' || run === null || !('run_id' in run)) return undefined
  return typeof run.run_id === 'string' ? run.run_id : undefined
}

function notAnId(runId: string): PgflowError {
  return new PgflowError('invalid_input', `"${runId}" is not the id of a run.`, {
    hint: 'The id of a run is a UUID.',
    runId,
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
