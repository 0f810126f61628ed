import type { Trace, TraceKind, TraceRecord } from 'pinia-pgflow'
import { shallowReadonly, shallowRef, type ShallowRef } from 'vue'
import { describeDetail } from './describe-detail.ts'

/** A record of the sync's trace, as it is shown. */
export interface TraceEntry {
  id: number
  /** In ms since 1970. */
  at: number
  kind: TraceKind
  /** The id of a run, or the key of a list. */
  key: string
  /** What it was about, in a few words. */
  text: string
}

/** The last records of the sync's trace. */
export interface TraceLog {
  /** The newest first. */
  readonly entries: Readonly<ShallowRef<readonly TraceEntry[]>>
  /** The option `trace` of `createPgflow`. */
  readonly trace: Trace
  clear(): void
}

/**
 * Keeps the last records of the sync's trace.
 * @param limit - older ones than so many are forgotten.
 */
export function createTraceLog(limit = 300): TraceLog {
  const entries = shallowRef<readonly TraceEntry[]>([])
  let kept: TraceEntry[] = []
  let count = 0
  let isWaiting = false
  const show = () => {
    isWaiting = false
    entries.value = [...kept]
  }
  return {
    entries: shallowReadonly(entries),
    trace({ kind, key, detail }: TraceRecord) {
      kept = [{ id: count++, at: Date.now(), kind, key, text: describeDetail(detail) }, ...kept]
      kept.length = Math.min(kept.length, limit)
      // A flood is shown once.
      if (!isWaiting) queueMicrotask(show)
      isWaiting = true
    },
    clear() {
      kept = []
      entries.value = []
    },
  }
}
