import type { TraceKind, TraceRecord } from 'pinia-pgflow'

/** How many things of a kind the sync has done, with one run or list or with all. */
export function countOf(records: readonly TraceRecord[], kind: TraceKind, key?: string): number {
  return records.filter((record) => record.kind === kind && record.key === (key ?? record.key))
    .length
}
