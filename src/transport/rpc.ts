import type { SupabaseClient } from '@supabase/supabase-js'
import { flowNotFound, PgflowError } from '../errors.ts'
import type { FlowShape, Json, RunSnapshot } from '../model/entities.ts'
import { isRunId, notARunId } from '../model/run-id.ts'
import { parseFlowShape, parseSeqs, parseSnapshot, type Parsed } from '../model/wire.ts'
import { dataOf } from './failures.ts'
import { apiSchema } from './schemas.ts'

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
  const [row, ...others] = await callRows(supabase, name, args, signal)
  if (others.length > 0) throw malformed(name, 'more than one run')
  return valueOf(name, parseSnapshot(row))
}

/**
 * Calls `get_run_with_states`, or `get_runs_with_states` for several. Unknown runs are left out. An
 * error of one run does not affect the others.
 */
export async function callGetRuns(
  supabase: SupabaseClient,
  runIds: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, RunSnapshot | PgflowError>> {
  const { ids, results } = sortOutIds(runIds)
  const [only] = ids
  if (only === undefined) return results
  const name = ids.length === 1 ? 'get_run_with_states' : 'get_runs_with_states'
  const args = ids.length === 1 ? { p_run_id: only } : { p_run_ids: ids }
  for (const row of await callRows(supabase, name, args, signal)) {
    const id = idOfRow(row)
    if (id === undefined) throw malformed(name, 'a row without run_id')
    if (!ids.includes(id)) throw malformed(name, 'a run that was not asked for')
    if (results.has(id)) throw malformed(name, 'the same run twice')
    const snapshot = parseSnapshot(row)
    results.set(id, snapshot.ok ? snapshot.value : malformed(name, snapshot.reason))
  }
  return results
}

/** How many runs one call of `get_run_seqs` accepts. */
const seqsAtOnce = 200

/** Calls `get_run_seqs`, several times for many runs. Invalid ids are left out as well. */
export async function callGetSeqs(
  supabase: SupabaseClient,
  runIds: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const waiting = [...new Set(runIds)].filter(isRunId)
  const parts: string[][] = []
  while (waiting.length > 0) parts.push(waiting.splice(0, seqsAtOnce))
  const name = 'get_run_seqs'
  const read = async (part: string[]) =>
    valueOf(name, parseSeqs(await call(supabase, name, { p_run_ids: part }, signal), part))
  const seqs = await Promise.all(parts.map(read))
  return new Map(seqs.flatMap((part) => [...part]))
}

/** Calls `get_flow`. */
export async function callGetFlow(
  supabase: SupabaseClient,
  flowSlug: string,
  signal: AbortSignal,
): Promise<FlowShape> {
  const name = 'get_flow'
  const [row, ...others] = await callRows(supabase, name, { p_flow_slug: flowSlug }, signal)
  if (row === undefined) throw flowNotFound(flowSlug)
  const shape = valueOf(name, parseFlowShape(row))
  if (shape.flow_slug === flowSlug && others.length === 0) return shape
  throw malformed(name, 'a flow that was not asked for')
}

/** The valid ids, and an error for each of the others. */
export function sortOutIds(runIds: readonly string[]) {
  const results = new Map<string, RunSnapshot | PgflowError>()
  for (const id of runIds) if (!isRunId(id)) results.set(id, notARunId(id))
  return { ids: runIds.filter(isRunId), results }
}

/** The parsed value. @throws PgflowError `malformed_reply` */
export function valueOf<T>(name: string, parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value
  throw malformed(name, parsed.reason)
}

/** The error of a response that is not valid. */
export function malformed(name: string, reason: string): PgflowError {
  return new PgflowError('malformed_reply', `${name} returned something unexpected: ${reason}`)
}

async function call(
  supabase: SupabaseClient,
  name: string,
  args: Record<string, Json>,
  signal: AbortSignal,
): Promise<object> {
  const reply = await supabase.schema(apiSchema).rpc(name, args).abortSignal(signal)
  return dataOf(reply, signal, { schema: apiSchema })
}

/** Calls a function that returns rows. */
export async function callRows(
  supabase: SupabaseClient,
  name: string,
  args: Record<string, Json>,
  signal: AbortSignal,
): Promise<unknown[]> {
  const rows = await call(supabase, name, args, signal)
  if (Array.isArray(rows)) return Array.from<unknown>(rows)
  throw malformed(name, 'expected an array of rows')
}

function idOfRow(row: unknown): string | undefined {
  if (typeof row !== 'object' || row === null || !('run' in row)) return undefined
  const { run } = row
  if (typeof run !== 'object' || run === null || !('run_id' in run)) return undefined
  return typeof run.run_id === 'string' ? run.run_id : undefined
}
