import type { SupabaseClient } from '@supabase/supabase-js'
import type { ListFilter, RunPage } from '../model/entities.ts'
import { parseRunSummaries } from '../model/wire.ts'
import { callRows, valueOf } from './rpc.ts'

/** Calls `list_runs`. */
export async function callListRuns(
  supabase: SupabaseClient,
  query: ListFilter,
  before: string | null,
  limit: number,
  signal: AbortSignal,
): Promise<RunPage> {
  const name = 'list_runs'
  const args = {
    p_flow_slug: query.flow,
    p_status: query.status,
    p_before: before,
    p_limit: limit,
  }
  const runs = valueOf(name, parseRunSummaries(await callRows(supabase, name, args, signal)))
  return { runs, cursor: runs.length < limit ? null : (runs.at(-1)?.cursor ?? null) }
}
