/** What the sync can do. */
export type TraceKind =
  | 'joined'
  | 'left'
  | 'event'
  | 'stale'
  | 'gap'
  | 'fetch'
  | 'answer'
  | 'outdated'
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
