import type { SupabaseClient } from '@supabase/supabase-js'
import type { Scheduler } from '../model/scheduler.ts'
import { runTopic } from '../model/wire.ts'
import { callGetFlow, callGetRuns, callListRuns, callStartFlow } from './rpc.ts'
import { openTopicChannel } from './topic-channel.ts'
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
      openTopicChannel({ supabase, scheduler, isPrivate, topic: runTopic(runId), runId }, handlers),
    listRuns: (query, before, limit, signal) =>
      callListRuns(supabase, query, before, limit, signal),
    openFeed: null,
    watchUser: () => () => {},
    fetchFlow: (flowSlug, signal) => callGetFlow(supabase, flowSlug, signal),
  }
}
