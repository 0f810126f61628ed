import type { PgflowError } from '../errors.ts'
import type { Json, RunSnapshot } from '../model/entities.ts'
import type { RunEvent } from '../model/wire.ts'

/** What happens on the channel of one run. */
export interface RunChannelHandlers {
  /** A broadcast that parsed. */
  onEvent(event: RunEvent): void
  /** Joined, for the first time or again: broadcasts may have been missed until now. */
  onJoined(): void
  /** Not joined any more, or not yet. The channel goes on trying by itself until it is closed. */
  onDown(error: PgflowError): void
  /** A broadcast that did not parse. It is not applied. */
  onMalformed(error: PgflowError): void
}

/** The channel of one run, joined and rejoined until it is closed. */
export interface RunChannel {
  /** Leaves for good. Nothing is reported after it. Closing twice does nothing. */
  close(): void
}

/** The way to one database: everything the sync knows of Supabase. */
export interface PgflowTransport {
  /**
   * Starts a run, or returns the one of that id if it was started before.
   * @throws PgflowError
   */
  startFlow(flowSlug: string, input: Json, runId: string, signal: AbortSignal): Promise<RunSnapshot>
  /**
   * The run and its steps now, or null when there is no such run for this caller.
   * @throws PgflowError
   */
  fetchRun(runId: string, signal: AbortSignal): Promise<RunSnapshot | null>
  /** Joins the run's topic. */
  openChannel(runId: string, handlers: RunChannelHandlers): RunChannel
}
