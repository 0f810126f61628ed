/**
 * The steps of the sync.
 * - `joined`, `left`: its channel.
 * - `event`: an event was applied; `stale`: an event or a snapshot was older than what is shown.
 * - `gap`: a broadcast is missing, or one came that could not be parsed.
 * - `fetch`, `answer`, `retry`: a request is made, has succeeded, has failed.
 * - `probe`: the database is asked whether anything was missed; `silent`: the channel is silent.
 * - `ended`: the run has ended, and all of it is held.
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
  | 'silent'
  | 'retry'
  | 'ended'

/** One step of the sync, for devtools and tests. */
export interface TraceRecord {
  kind: TraceKind
  /** The id of the run, or the key of the list. */
  key: string
  /** The event, the snapshot, the error or the reason; depends on the kind. */
  detail: unknown
}

/** Called with each step of the sync. It must not throw. */
export type Trace = (record: TraceRecord) => void
