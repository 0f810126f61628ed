import type { SupabaseClient } from '@supabase/supabase-js'
import { flowNotFound, PgflowError, toPgflowError } from '../errors.ts'
import type { FlowShape, Json, RunPage, ListFilter, RunSnapshot } from '../model/entities.ts'
import { isSameJson } from '../model/json.ts'
import {
  parsePlainFlowShape,
  parsePlainRunSummaries,
  parsePlainSnapshot,
} from '../model/plain-wire.ts'
import { dataOf, dataOrNull, type Dialect, type Reply } from './failures.ts'
import { sortOutIds, valueOf } from './rpc.ts'
import { plainSchema } from './schemas.ts'

/** How many runs are read at a time: pgflow has no function for many. */
const readsAtOnce = 10

const columns = 'run_id,flow_slug,status,remaining_steps,started_at,completed_at,failed_at'
const cursorPattern =
  /^(\d{4}-\d\d-\d\d[T ][\d:.]+[+-][\d:]+) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/**
 * The meaning of errors of plain pgflow.
 * @param granted - the privilege that the caller needs, as in `grant`.
 */
const dialect = (granted: string): Dialect => ({
  schema: plainSchema,
  codes: {
    // The foreign key from runs to flows: pgflow's error for an unknown flow.
    '23503': 'flow_not_found',
    '23502': 'invalid_input',
    '23505': 'run_conflict',
    PGRST205: 'not_migrated',
  },
  hints: {
    not_granted: `Let the role of the caller do it, such as authenticated: grant usage on schema pgflow to authenticated; grant ${granted} to authenticated;`,
    not_migrated:
      "Install pgflow 0.4 or newer: run its migrations, then notify pgrst, 'reload schema'.",
  },
})

const forFunctions = () =>
  dialect(
    'execute on function pgflow.start_flow_with_states(text, jsonb, uuid), pgflow.get_run_with_states(uuid)',
  )

/**
 * Calls pgflow's `start_flow_with_states`, which refuses a run id that exists. If that run has the
 * same flow and input, an earlier attempt has started it, and it is returned.
 */
export async function startPlainFlow(
  supabase: SupabaseClient,
  flowSlug: string,
  input: Json,
  runId: string,
  signal: AbortSignal,
): Promise<RunSnapshot> {
  const name = 'start_flow_with_states'
  const args = { flow_slug: flowSlug, input, run_id: runId }
  let reply: unknown
  try {
    reply = dataOf(await send(supabase, name, args, signal), signal, forFunctions())
  } catch (thrown) {
    const error = toPgflowError(thrown)
    if (error.code === 'flow_not_found') throw flowNotFound(flowSlug)
    // For a flow that maps over its input, pgflow raises this with the code of any exception.
    if (error.message.includes('has root map steps but input is')) {
      throw new PgflowError('invalid_input', error.message, { cause: error })
    }
    if (error.code !== 'run_conflict') throw error
    const known = await getPlainRun(supabase, runId, signal)
    if (known?.run.flow_slug === flowSlug && isSameJson(known.run.input, input)) return known
    throw new PgflowError('run_conflict', `The run id ${runId} is taken by another start.`, {
      runId,
      cause: error,
    })
  }
  return valueOf(name, parsePlainSnapshot(reply))
}

/** Calls pgflow's `get_run_with_states` once for each run. Unknown runs are left out. */
export async function getPlainRuns(
  supabase: SupabaseClient,
  runIds: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, RunSnapshot | PgflowError>> {
  const { ids, results } = sortOutIds(runIds)
  const waiting = [...new Set(ids)]
  const readNext = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const result = await getPlainRun(supabase, id, signal).catch(toPgflowError)
      if (result) results.set(id, result)
    }
  }
  await Promise.all(Array.from({ length: Math.min(readsAtOnce, waiting.length) }, readNext))
  return results
}

/** Reads a page of the table `runs`: all runs that the caller may select. */
export async function listPlainRuns(
  supabase: SupabaseClient,
  query: ListFilter,
  before: string | null,
  limit: number,
  signal: AbortSignal,
): Promise<RunPage> {
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
    const hint = 'Ask for 1 to 100 runs.'
    throw new PgflowError('invalid_input', `A page of ${limit} runs is not possible.`, { hint })
  }
  let request = supabase.schema(plainSchema).from('runs').select(columns)
  if (query.flow !== null) request = request.eq('flow_slug', query.flow)
  if (query.status !== null) request = request.eq('status', query.status)
  if (before !== null) request = request.or(afterCursor(before))
  const reply = await request
    .order('started_at', { ascending: false })
    .order('run_id', { ascending: false })
    .limit(limit)
    .abortSignal(signal)
  const rows = dataOf(reply, signal, dialect('select on pgflow.runs'))
  const runs = valueOf('runs', parsePlainRunSummaries(rows))
  return { runs, cursor: runs.length < limit ? null : (runs.at(-1)?.cursor ?? null) }
}

/** Reads a flow from the tables `flows`, `steps` and `deps`. */
export async function getPlainFlow(
  supabase: SupabaseClient,
  flowSlug: string,
  signal: AbortSignal,
): Promise<FlowShape> {
  const rowsOf = async (table: string, select: string, order: string) => {
    const reply = await supabase
      .schema(plainSchema)
      .from(table)
      .select(select)
      .eq('flow_slug', flowSlug)
      .order(order)
      .abortSignal(signal)
    return dataOf(reply, signal, dialect('select on pgflow.flows, pgflow.steps, pgflow.deps'))
  }
  const [flows, steps, deps] = await Promise.all([
    rowsOf('flows', 'flow_slug', 'flow_slug'),
    // A step can only depend on steps that were added before it.
    rowsOf('steps', 'step_slug,step_type', 'step_index'),
    rowsOf('deps', 'step_slug,dep_slug', 'dep_slug'),
  ])
  if (Array.isArray(flows) && flows.length === 0) throw flowNotFound(flowSlug)
  return valueOf('steps', parsePlainFlowShape(flowSlug, steps, deps))
}

async function getPlainRun(
  supabase: SupabaseClient,
  runId: string,
  signal: AbortSignal,
): Promise<RunSnapshot | null> {
  const name = 'get_run_with_states'
  const reply = await send(supabase, name, { run_id: runId }, signal)
  const row = dataOrNull(reply, signal, forFunctions())
  return row && valueOf(name, parsePlainSnapshot(row))
}

function send(
  supabase: SupabaseClient,
  name: string,
  args: Record<string, Json>,
  signal: AbortSignal,
): PromiseLike<Reply> {
  return supabase.schema(plainSchema).rpc(name, args).abortSignal(signal)
}

function afterCursor(cursor: string): string {
  const [, startedAt, runId] = cursorPattern.exec(cursor) ?? []
  if (startedAt === undefined || runId === undefined) {
    const hint = 'Pass the cursor of the last run of the page before, or null for the first page.'
    throw new PgflowError('invalid_input', 'The cursor is not one of a list of runs.', { hint })
  }
  return `started_at.lt."${startedAt}",and(started_at.eq."${startedAt}",run_id.lt.${runId})`
}
