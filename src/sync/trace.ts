/**
 * What the sync can do or meet.
 * - `joined`, `left`: its channel.
 * - `event`: a broadcast was applied; `stale`: a broadcast or an answer was older than what is shown.
 * - `gap`: a broadcast is missing, or one came that could not be understood.
 * - `fetch`, `answer`, `retry`: a read is asked for, has succeeded, has failed.
 * - `probe`: the database is asked whether anything was missed; `deaf`: it was, and unheard.
 * - `ended`: the run has ended, and all of it is known.
 */
export type TraceKind =
  | 'joined'
  | 'left'
  | 'event'
  | 'stale'
  | 'gap'
  | 'fetch'
  | 'answer'
  | 'probe'
  | 'deaf'
  | 'retry'
  | 'ended'

/** One thing that the sync has done, for devtools and tests. */
export interface TraceRecord {
  kind: TraceKind
  /** The id of the run, or the key of the list. */
  key: string
  /** The broadcast, the error or the reason; depends on the kind. */
  detail: unknown
}

/** Told of each thing that the sync does. It must not throw. */
export type Trace = (record: TraceRecord) => void
