import type { ConnectionStatus } from 'pinia-pgflow'

/** How a status looks; several statuses look alike. */
export type Tone = 'waiting' | 'running' | 'done' | 'failed'

/** A status in words, and how it looks. */
export interface StatusWords {
  label: string
  tone: Tone
}

// Maps: a status comes from outside, and may be called as what every object has.
const runs = new Map<string, StatusWords>([
  ['pending', { label: 'Starting', tone: 'waiting' }],
  ['started', { label: 'Running', tone: 'running' }],
  ['completed', { label: 'Done', tone: 'done' }],
  ['failed', { label: 'Failed', tone: 'failed' }],
])

const steps = new Map<string, StatusWords>([
  ['created', { label: 'Waiting', tone: 'waiting' }],
  ['started', { label: 'Running', tone: 'running' }],
  ['completed', { label: 'Done', tone: 'done' }],
  ['failed', { label: 'Failed', tone: 'failed' }],
  ['skipped', { label: 'Skipped', tone: 'waiting' }],
])

/** A run's status in words; one that this page does not know shows as it is. */
export function runStatusWords(status: string): StatusWords {
  return runs.get(status) ?? { label: status, tone: 'waiting' }
}

/** A step's status in words: what waits in a run that failed will not be reached any more. */
export function stepStatusWords(status: string, runStatus: string): StatusWords {
  const isStranded = runStatus === 'failed' && (status === 'created' || status === 'started')
  if (isStranded)
    return { label: status === 'created' ? 'Not reached' : 'Stopped', tone: 'waiting' }
  return steps.get(status) ?? { label: status, tone: 'waiting' }
}

/** How live the page is, in words. */
export const connectionWords: Record<ConnectionStatus, { label: string; about: string }> = {
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
