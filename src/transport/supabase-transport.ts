import type { SupabaseClient } from '@supabase/supabase-js'
import { PgflowError } from '../errors.ts'
import type { Scheduler } from '../model/scheduler.ts'
import { runTopic } from '../model/wire.ts'
import { explaining } from './api-version.ts'
import { callGetFlow, callGetRuns, callGetSeqs, callListRuns, callStartFlow } from './rpc.ts'
import { plainSchema, type ApiSchema } from './schemas.ts'
import { watchSession } from './signed-in.ts'
import { openTopicChannel } from './topic-channel.ts'
import type { PgflowTransport, RunChannelHandlers } from './types.ts'
import { openUserFeed } from './user-feed.ts'

/** What a transport is made of. */
export interface SupabaseTransportOptions {
  supabase: SupabaseClient
  scheduler: Scheduler
  schema: ApiSchema
  isPrivate: boolean
}

const counted = {
  start: callStartFlow,
  getRuns: callGetRuns,
  list: callListRuns,
  getFlow: callGetFlow,
  hear: (handlers: RunChannelHandlers) => handlers,
}
/** Loaded when it is first called: an app with this project's SQL never does. */
const plainRpc = () =>
  import('./plain-rpc.ts').catch((cause: unknown) => {
    throw new PgflowError('unreachable', 'A part of pinia-pgflow could not be loaded.', { cause })
  })
const plain: typeof counted = {
  start: async (...given) => (await plainRpc()).startPlainFlow(...given),
  getRuns: async (...given) => (await plainRpc()).getPlainRuns(...given),
  list: async (...given) => (await plainRpc()).listPlainRuns(...given),
  getFlow: async (...given) => (await plainRpc()).getPlainFlow(...given),
  // A seq means that this project's SQL is there too. Snapshots of pgflow's do not say up to where
  // they count, so it could not be compared with them.
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
}: SupabaseTransportOptions): PgflowTransport {
  const isPlain = schema === plainSchema
  const { hear, ...calls } = isPlain ? plain : counted
  // Written out at each use: bundlers drop what only a constant keeps from being used.
  const { start, getRuns, list, getFlow } =
    process.env.NODE_ENV !== 'production' && !isPlain ? explainAll(calls) : calls
  // Only this project's SQL sends on the channel of a user.
  const hasFeed = isPrivate && !isPlain
  const getSeqs = process.env.NODE_ENV !== 'production' ? explaining(callGetSeqs) : callGetSeqs
  return {
    canJoinEarly: !isPrivate,
    startFlow: (flowSlug, input, runId, signal) => start(supabase, flowSlug, input, runId, signal),
    fetchRuns: (runIds, signal) => getRuns(supabase, runIds, signal),
    fetchSeqs: isPlain ? null : (runIds, signal) => getSeqs(supabase, runIds, signal),
    openChannel: (runId, handlers) => {
      const topic = runTopic(runId)
      return openTopicChannel({ supabase, scheduler, isPrivate, topic, runId }, hear(handlers))
    },
    watchSession: (onChange) => watchSession(supabase, scheduler, onChange),
    listRuns: (query, before, limit, signal) => list(supabase, query, before, limit, signal),
    openFeed: hasFeed ? (handlers) => openUserFeed(supabase, scheduler, handlers) : null,
    fetchFlow: (flowSlug, signal) => getFlow(supabase, flowSlug, signal),
  }
}

/** The calls, with words about versions for developers. */
function explainAll({ start, getRuns, list, getFlow }: Omit<typeof counted, 'hear'>) {
  return {
    start: explaining(start),
    getRuns: explaining(getRuns),
    list: explaining(list),
    getFlow: explaining(getFlow),
  }
}
