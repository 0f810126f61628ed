import { runTopic } from '../model/wire.ts'
import { explaining } from './api-version.ts'
import { plainRpc } from './plain.ts'
import { callGetFlow, callGetRuns, callGetSeqs, callStartFlow } from './rpc.ts'
import { plainSchema } from './schemas.ts'
import { watchSession } from './signed-in.ts'
import { openSharedChannel } from './shared-channel.ts'
import type { PgflowTransport, RunChannelHandlers, SupabaseConnection } from './types.ts'

const sequenced = {
  start: callStartFlow,
  getRuns: callGetRuns,
  getFlow: callGetFlow,
  hear: (handlers: RunChannelHandlers) => handlers,
}
const plain: typeof sequenced = {
  start: async (...given) => (await plainRpc()).startPlainFlow(...given),
  getRuns: async (...given) => (await plainRpc()).getPlainRuns(...given),
  getFlow: async (...given) => (await plainRpc()).getPlainFlow(...given),
  // A seq means that this project's SQL is installed too. Snapshots of pgflow's own functions have
  // none, so the seq could not be compared with them.
  hear: (handlers) => ({
    ...handlers,
    onEvent: (event) => handlers.onEvent({ ...event, seq: null }),
  }),
}

/** The transport over a Supabase client: RPCs over REST, broadcasts over Realtime. */
export function createSupabaseTransport({
  supabase,
  scheduler,
  schema,
  isPrivate,
}: SupabaseConnection): PgflowTransport {
  const isPlain = schema === plainSchema
  const { hear, ...calls } = isPlain ? plain : sequenced
  // Written out at each use: bundlers remove only code behind the literal condition.
  const { start, getRuns, getFlow } =
    process.env.NODE_ENV !== 'production' && !isPlain ? explainAll(calls) : calls
  const getSeqs = process.env.NODE_ENV !== 'production' ? explaining(callGetSeqs) : callGetSeqs
  return {
    joinsBeforeStart: !isPrivate,
    startFlow: (flowSlug, input, runId, signal) => start(supabase, flowSlug, input, runId, signal),
    fetchRuns: (runIds, signal) => getRuns(supabase, runIds, signal),
    fetchSeqs: isPlain ? null : (runIds, signal) => getSeqs(supabase, runIds, signal),
    openChannel: (runId, handlers) => {
      const topic = runTopic(runId)
      return openSharedChannel({ supabase, scheduler, isPrivate, topic, runId }, hear(handlers))
    },
    watchSession: (onChange) => watchSession(supabase, scheduler, onChange),
    fetchFlow: (flowSlug, signal) => getFlow(supabase, flowSlug, signal),
  }
}

/** The calls, with hints about versions in development. */
function explainAll({ start, getRuns, getFlow }: Omit<typeof sequenced, 'hear'>) {
  return {
    start: explaining(start),
    getRuns: explaining(getRuns),
    getFlow: explaining(getFlow),
  }
}
