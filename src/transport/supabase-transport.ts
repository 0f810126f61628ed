import type { SupabaseClient } from '@supabase/supabase-js'
import type { Scheduler } from '../model/scheduler.ts'
import { callGetRuns, callStartFlow } from './rpc.ts'
import { openRunChannel } from './run-channel.ts'
import type { PgflowTransport } from './types.ts'

/** The transport over a Supabase client: RPCs over REST, broadcasts over Realtime. */
export function createSupabaseTransport(
  supabase: SupabaseClient,
  scheduler: Scheduler,
  isPrivate: boolean,
): PgflowTransport {
  return {
    canJoinEarly: !isPrivate,
    startFlow: (flowSlug, input, runId, signal) =>
      callStartFlow(supabase, flowSlug, input, runId, signal),
    fetchRuns: (runIds, signal) => callGetRuns(supabase, runIds, signal),
    openChannel: (runId, handlers) =>
      openRunChannel({ supabase, scheduler, isPrivate, runId }, handlers),
  }
}
