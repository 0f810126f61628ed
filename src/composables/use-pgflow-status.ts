import { computed, type ComputedRef } from 'vue'
import { useEngine } from '../store/installation.ts'
import type { PlainError } from '../errors.ts'
import type { ConnectionStatus } from '../model/entities.ts'
import type { FollowedConnection } from '../store/followed.ts'

/** The connection of everything that an app follows. */
export interface PgflowStatus {
  /** The status of the least live run or list that is followed; `idle` when there is none. */
  status: Exclude<ConnectionStatus, 'closed'>
  /** How many of the runs and lists that this app observes are at each status. */
  counts: Record<ConnectionStatus, number>
  /** Followed runs in which nothing has changed for `stallAfter`. */
  stalled: number
  /** The errors of the connections, each cause once, the most frequent first. */
  errors: PlainError[]
  /** A text that says what is not live, and why; null if all is live or nothing is followed. */
  reason: string | null
}

/** From the least live to the most. */
const worstFirst = ['offline', 'polling', 'connecting', 'live'] as const

const words = {
  offline: 'What is shown may be old',
  polling: 'Read from time to time instead of live',
  connecting: 'Connecting, or catching up',
}

/**
 * The connection status of everything that this app follows, and why it is not live: for example
 * for a badge in the corner of the page.
 *
 * @example
 * const status = usePgflowStatus()
 * const label = computed(() => status.value.reason ?? status.value.status)
 */
export function usePgflowStatus(): ComputedRef<PgflowStatus> {
  const { connections } = useEngine().followed
  return computed(() => summarize([...connections.values()].flatMap((read) => read() ?? [])))
}

function summarize(connections: readonly FollowedConnection[]): PgflowStatus {
  const counts = { idle: 0, connecting: 0, live: 0, polling: 0, offline: 0, closed: 0 }
  const byCode = new Map<string, { error: PlainError; times: number }>()
  let stalled = 0
  for (const connection of connections) {
    const { status, error } = connection
    counts[status] += 1
    if ('stalled' in connection && connection.stalled && status !== 'idle') stalled += 1
    if (!error) continue
    const seen = byCode.get(error.code) ?? { error, times: 0 }
    byCode.set(error.code, { ...seen, times: seen.times + 1 })
  }
  const errors = [...byCode.values()].sort((a, b) => b.times - a.times).map(({ error }) => error)
  const status = worstFirst.find((candidate) => counts[candidate] > 0) ?? 'idle'
  return { status, counts, stalled, errors, reason: reasonOf(status, counts, errors) }
}

function reasonOf(
  status: PgflowStatus['status'],
  counts: PgflowStatus['counts'],
  errors: readonly PlainError[],
): string | null {
  if (status === 'live' || status === 'idle') return errors[0]?.message ?? null
  const followed = counts.offline + counts.polling + counts.connecting + counts.live
  const share = followed > counts[status] ? ` (${counts[status]} of ${followed})` : ''
  const cause = errors[0] ? `: ${errors[0].message}` : '.'
  return `${words[status]}${share}${cause}`
}
