import type { SupabaseClient } from '@supabase/supabase-js'
import type { PgflowError } from '../errors.ts'
import type { FlowShape, Json, RunPage, ListFilter, RunSnapshot } from '../model/entities.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { RunEvent } from '../model/wire.ts'
import type { ApiSchema } from './schemas.ts'

/** What the transports over Supabase are created with. */
export interface SupabaseConnection {
  supabase: SupabaseClient
  scheduler: Scheduler
  schema: ApiSchema
  isPrivate: boolean
}

/** The callbacks of a channel: that of one run, or that of all runs of a user. */
export interface RunChannelHandlers {
  /** A broadcast was parsed. */
  onEvent: (event: RunEvent) => void
  /**
   * The channel was joined, for the first time or again, or Realtime's own connection to the
   * database is back. Broadcasts sent before may have been missed.
   */
  onJoined: () => void
  /** The channel is not joined any more, or not yet. It retries until it is closed. */
  onDown: (error: PgflowError) => void
  /** A broadcast could not be parsed. It is not applied. */
  onMalformed: (error: PgflowError) => void
}

/** A channel that rejoins until it is closed. */
export interface RunChannel {
  /** Closes it for good. No callback is called afterwards. Closing twice does nothing. */
  close(): void
}

/** `user`: another user is signed in, or nobody; `token`: the same user has another token. */
export type SessionChange = 'user' | 'token'

/** The access to the runs of a database. */
export interface RunTransport {
  /**
   * Whether the channel of a run can be joined before the run exists. Not with private channels,
   * where the run decides who may join.
   */
  readonly joinsBeforeStart: boolean
  /**
   * Starts a run, or returns the run with that id if it was started before.
   * @throws PgflowError
   */
  startFlow(flowSlug: string, input: Json, runId: string, signal: AbortSignal): Promise<RunSnapshot>
  /**
   * The present state of runs and their steps. Runs that do not exist for this caller are left out.
   * An error in place of a run concerns that run alone.
   * @throws PgflowError when none of them can be read.
   */
  fetchRuns(
    runIds: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, RunSnapshot | PgflowError>>
  /**
   * The seq of each of these runs, by id. Runs that are unknown, or that the caller may not read,
   * are left out. Null where events have no seq.
   * @throws PgflowError when none of them can be read.
   */
  readonly fetchSeqs:
    | ((runIds: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, number>>)
    | null
  /** Joins the run's topic. */
  openChannel(runId: string, handlers: RunChannelHandlers): RunChannel
  /**
   * Calls `onChange` when the caller's permissions may have changed, until the returned function is
   * called. The client may be used within `onChange`.
   */
  watchSession(onChange: (change: SessionChange) => void): () => void
}

/** The access to lists of runs. */
export interface ListTransport {
  /**
   * A page of the caller's runs, newest first, beginning after the cursor `before`.
   * @throws PgflowError
   */
  listRuns(
    query: ListFilter,
    before: string | null,
    limit: number,
    signal: AbortSignal,
  ): Promise<RunPage>
  /**
   * Joins the topic that carries every change of the caller's own runs, without inputs and outputs.
   * Null where there is no such topic: lists are then polled.
   */
  openFeed: ((handlers: RunChannelHandlers) => RunChannel) | null
}

/** The access to the shapes of flows. */
export interface FlowTransport {
  /**
   * The steps of a flow.
   * @throws PgflowError `flow_not_found`
   */
  fetchFlow(flowSlug: string, signal: AbortSignal): Promise<FlowShape>
}

/** The access to one database: everything that depends on Supabase. */
export interface PgflowTransport extends RunTransport, FlowTransport {}
