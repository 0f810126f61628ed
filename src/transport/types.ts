import type { PgflowError } from '../errors.ts'
import type { Json, RunSnapshot } from '../model/entities.ts'
import type { RunEvent } from '../model/wire.ts'

/** What happens on the channel of one run. */
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

/** The channel of one run, joined and rejoined until it is closed. */
export interface RunChannel {
  /** Leaves for good. Nothing is reported after it. Closing twice does nothing. */
  close(): void
}

/** The way to one database: everything the sync knows of Supabase. */
export interface PgflowTransport {
  /**
   * Whether a run can be joined while it is being started. Not with private channels: who may join
   * is decided by who started the run, so it has to exist first.
   */
  readonly canJoinEarly: boolean
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
  /** Joins the run's topic. */
  openChannel(runId: string, handlers: RunChannelHandlers): RunChannel
}
