import type { KeptRecord } from '../trace-log.ts'
import { dataOf, describeRecord } from './describe-record.ts'
import { Joins } from './joins.ts'
import { listLabel } from './tree.ts'

/** The layer of an app in the timeline. */
export function timelineLayer(id: string) {
  return { id, label: 'pgflow', color: 0x0f766e }
}

/** An event of the timeline for a record. Those of one run or list form a group. */
export interface TimelineEvent {
  /** In ms since 1970: devtools' own clock is 0 while their panel is closed. */
  time: number
  title: string
  subtitle: string
  groupId: string
  logType: 'default' | 'warning' | 'error'
  data: Record<string, unknown>
}

/** Returns a function that makes timeline events of records; it starts after the given records. */
export function timelineEvents(
  earlier: readonly KeptRecord[],
): (record: KeptRecord) => TimelineEvent {
  const joins = new Joins()
  for (const record of earlier) joins.of(record)
  return (record) => {
    const { key, kind, at } = record
    const { title, subtitle, level } = describeRecord(record, joins.of(record))
    const about = isList(key) ? listLabel(key) : key
    return {
      time: at,
      title,
      subtitle: `${subtitle} · ${about}`,
      groupId: key,
      logType: level,
      data: { about, kind, detail: dataOf(record) ?? subtitle },
    }
  }
}

/** The key of a list is JSON; the id of a run is not. */
function isList(key: string): boolean {
  return key.startsWith('[')
}
