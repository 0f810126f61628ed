import { clip } from '../model/text.ts'
import type { TraceKind } from '../sync/trace.ts'
import type { KeptRecord, TraceContent } from '../trace-log.ts'
import type { Join } from './joins.ts'

/** The text of a trace record, for a line of the inspector or the timeline. */
export interface DescribedRecord {
  title: string
  subtitle: string
  level: 'default' | 'warning' | 'error'
}

const titles: Record<TraceKind, string> = {
  joined: 'joined',
  left: 'left',
  event: 'event',
  stale: 'stale',
  gap: 'gap',
  fetch: 'read',
  answer: 'snapshot',
  probe: 'probe',
  silent: 'silent',
  retry: 'read failed',
  ended: 'ended',
}
const warnings = new Set<TraceKind>(['left', 'stale', 'gap'])
const errors = new Set<TraceKind>(['silent', 'retry'])

/**
 * Returns the text of a record.
 * @param join - which join it is, from `Joins`; null for another record.
 */
export function describeRecord(record: KeptRecord, join: Join | null): DescribedRecord {
  const { kind, content } = record
  return {
    title: join ?? titles[kind],
    subtitle: wordsOf(content) ?? (join ? joins[join] : explanations[kind]) ?? '',
    level: errors.has(kind) ? 'error' : warnings.has(kind) ? 'warning' : 'default',
  }
}

const joins: Record<Join, string> = {
  joined: 'the channel is open',
  ready: 'all that the database broadcasts arrives from now on',
  reconnect: 'the channel is open again',
}
const explanations: Partial<Record<TraceKind, string>> = {
  gap: 'a broadcast is missing, or could not be understood',
  probe: 'the database is asked whether anything was missed',
  silent: 'something was missed on a channel that is joined',
  ended: 'all is known, and nothing more will come',
}

function wordsOf(content: TraceContent): string | null {
  switch (content.type) {
    case 'event': {
      const { type, step, seq } = content.event
      return clip(`${step ? `${step.slug} ` : ''}${type}${ofSeq(seq)}`, 120)
    }
    case 'snapshot': {
      const { run, steps, seq } = content.snapshot
      return clip(`${run.status}, ${steps.length} steps${ofSeq(seq)}`, 120)
    }
    case 'update': {
      const { run_id, run, seq } = content.update
      return clip(`${run_id} ${run.status ?? ''}${ofSeq(seq)}`, 120)
    }
    case 'rows':
      return `${content.runIds.length}${content.hasMore ? '+' : ''} runs`
    case 'error':
      return clip(`${content.error.code}: ${content.error.message}`, 200)
    case 'reason':
      return clip(content.reason, 120)
    case 'none':
      return null
  }
}

function ofSeq(seq: number | null): string {
  return seq === null ? '' : ` (seq ${seq})`
}

/** The data of a record that can be expanded in the inspector. */
export function dataOf({ content }: KeptRecord): unknown {
  switch (content.type) {
    case 'event':
      return content.event
    case 'snapshot':
      return content.snapshot
    case 'update':
      return content.update
    case 'rows':
      return { runIds: content.runIds, hasMore: content.hasMore }
    case 'error':
      return content.error
    case 'reason':
      return content.reason
    case 'none':
      return null
  }
}

/** A time of day, to the millisecond. */
export function timeOfDay(at: number): string {
  const date = new Date(at)
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map(
    (part) => String(part).padStart(2, '0'),
  )
  return `${hours}:${minutes}:${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
