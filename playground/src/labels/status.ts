import type { ConnectionStatus, PgflowStatus, Progress, RunConnection } from 'pinia-pgflow'
import { counted, formatNumber } from './format.ts'

/** How a status looks; several statuses look alike. */
export type Tone = 'waiting' | 'running' | 'done' | 'failed'

/** A status in words, and how it looks. */
export interface StatusLabel {
  label: string
  tone: Tone
}

// Maps: a status comes from outside, and may be called as what every object has.
const runs = new Map<string, StatusLabel>([
  ['pending', { label: 'Starting', tone: 'waiting' }],
  ['started', { label: 'Running', tone: 'running' }],
  ['completed', { label: 'Done', tone: 'done' }],
  ['failed', { label: 'Failed', tone: 'failed' }],
])

const steps = new Map<string, StatusLabel>([
  ['created', { label: 'Waiting', tone: 'waiting' }],
  ['started', { label: 'Running', tone: 'running' }],
  ['completed', { label: 'Done', tone: 'done' }],
  ['failed', { label: 'Failed', tone: 'failed' }],
  ['skipped', { label: 'Skipped', tone: 'waiting' }],
])

/** A run's status in words; one that this page does not know shows as it is. */
export function runStatusLabel(status: string): StatusLabel {
  return runs.get(status) ?? { label: status, tone: 'waiting' }
}

/** A step's status in words: what waits in a run that failed will not be reached any more. */
export function stepStatusLabel(status: string, runStatus: string): StatusLabel {
  const isStranded = runStatus === 'failed' && (status === 'created' || status === 'started')
  if (isStranded)
    return { label: status === 'created' ? 'Not reached' : 'Stopped', tone: 'waiting' }
  return steps.get(status) ?? { label: status, tone: 'waiting' }
}

/** A connection in words. */
export interface ConnectionLabel {
  label: string
  about: string
}

const connections: Record<ConnectionStatus, ConnectionLabel> = {
  idle: { label: 'Not followed', about: 'Nobody is following this run.' },
  connecting: { label: 'Connecting', about: 'Asking for the latest state.' },
  live: { label: 'Live', about: 'Every change shows at once.' },
  polling: {
    label: 'Checking regularly',
    about: 'Without a live connection, changes show a bit later.',
  },
  offline: {
    label: 'Connection lost',
    about: 'What you see may be old. It reconnects by itself.',
  },
  closed: { label: 'Up to date', about: 'Nothing more will change.' },
}

/** How live a run is, in words. */
export function connectionLabel({ status, error, stalled }: RunConnection): ConnectionLabel {
  const label = connections[status]
  if (status === 'closed' && error) {
    return { label: 'Out of reach', about: 'It cannot be read now. What you see may be old.' }
  }
  const about = `${label.about} Nothing has changed for a while: is a worker running?`
  return stalled ? { ...label, about } : label
}

const syncs: Record<PgflowStatus['status'], string> = {
  idle: 'Nothing to follow',
  connecting: 'Connecting',
  live: 'Live',
  polling: 'Checking regularly',
  offline: 'Connection lost',
}

/** How live all that is followed is, in words. */
export function syncLabel(status: PgflowStatus['status']): string {
  return syncs[status]
}

/** How far a run is, in words. */
export function progressLabel({ total, done, failed, skipped }: Progress): string {
  if (total === 0) return 'Starting'
  const parts = [`${formatNumber(done)} of ${counted(total, 'step')}`]
  if (failed > 0) parts.push(`${formatNumber(failed)} failed`)
  if (skipped > 0) parts.push(`${formatNumber(skipped)} skipped`)
  return parts.join(', ')
}
