import type { SupabaseClient } from '@supabase/supabase-js'
import type { PgflowError } from '../errors.ts'
import type { FlowShape, Json, RunPage, ListFilter, RunSnapshot } from '../model/entities.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { RunEvent } from '../model/wire.ts'
import type { ApiSchema } from './schemas.ts'

/** What the transports over Supabase are made of. */
export interface SupabaseConnection {
  supabase: SupabaseClient
  scheduler: Scheduler
  schema: ApiSchema
  isPrivate: boolean
}

/** What happens on a channel: that of one run, or that of all runs of a user. */
export interface RunChannelHandlers {
  /** A broadcast that parsed. */
  onEvent: (event: RunEvent) => void
  /**
   * Joined, for the first time or again, or the server's own connection to the database is back:
   * broadcasts may have been missed until now.
   */
  onJoined: () => void
  /** Not joined any more, or not yet. The channel goes on trying by itself until it is closed. */
  onDown: (error: PgflowError) => void
  /** A broadcast that did not parse. It is not applied. */
  onMalformed: (error: PgflowError) => void
}

/** A channel, joined and rejoined until it is closed. */
export interface RunChannel {
  /** Leaves for good. Nothing is reported after it. Closing twice does nothing. */
  close(): void
}

/** `user`: somebody else is signed in, or nobody; `token`: the same user has another token. */
export type SessionChange = 'user' | 'token'

/** The way to the runs of a database. */
export interface RunTransport {
  /**
   * Whether a run can be joined while it is being started. Not with private channels: who may join
   * is decided by who started the run, so it has to exist first.
   */
  readonly joinsBeforeStart: boolean
  /**
   * Starts a run, or returns the one of that id if it was started before.
   * @throws PgflowError
   */
  startFlow(flowSlug: string, input: Json, runId: string, signal: AbortSignal): Promise<RunSnapshot>
  /**
   * The runs of these ids and their steps now. A run that does not exist for this caller is left
   * out; an error instead of a run is about that one alone.
   * @throws PgflowError when none of them can be read.
   */
  fetchRuns(
    runIds: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, RunSnapshot | PgflowError>>
  /**
   * How far each of these runs has come: its seq, by the id of the run. What is unknown, or not for
   * this caller, is left out. Null where runs are not counted.
   * @throws PgflowError when none of them can be read.
   */
  readonly fetchSeqs:
    | ((runIds: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, number>>)
    | null
  /** Joins the run's topic. */
  openChannel(runId: string, handlers: RunChannelHandlers): RunChannel
  /**
   * Calls `onChange` when what the caller may read can have changed; the returned function ends it.
   * The client may be used from within `onChange`.
   */
  watchSession(onChange: (change: SessionChange) => void): () => void
}

/** The way to lists of runs. */
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
   * Joins the topic on which the caller hears of every change of their own runs, without inputs and
   * outputs. Null where there is none: lists are then polled.
   */
  openFeed: ((handlers: RunChannelHandlers) => RunChannel) | null
}

/** The way to what flows look like. */
export interface FlowTransport {
  /**
   * The steps of a flow.
   * @throws PgflowError `flow_not_found`
   */
  fetchFlow(flowSlug: string, signal: AbortSignal): Promise<FlowShape>
}

/** The way to one database: everything that is known of Supabase. */
export interface PgflowTransport extends RunTransport, FlowTransport {}
