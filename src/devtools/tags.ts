import type { PlainError } from '../errors.ts'
import type { ConnectionStatus, PgflowStep, StepRetry } from '../model/entities.ts'
import { clip } from '../model/text.ts'

/** A tag beside a node of the tree. */
export interface Tag {
  label: string
  textColor: number
  backgroundColor: number
  tooltip?: string
}

const white = 0xffffff
const colours = new Map<string, number>([
  ['pending', 0x64748b],
  ['created', 0x64748b],
  ['started', 0x2563eb],
  ['completed', 0x15803d],
  ['failed', 0xb91c1c],
  ['skipped', 0x7c3aed],
])
const connectionColours: Record<ConnectionStatus, number> = {
  idle: 0x64748b,
  connecting: 0xa16207,
  live: 0x0f766e,
  polling: 0xa16207,
  offline: 0xb91c1c,
  closed: 0x64748b,
}

/** The status of a run or step, or another text in the colour of a status. */
export function statusTag(label: string, status = label): Tag {
  const backgroundColor = colours.get(status) ?? 0x334155
  return { label: clip(label, 30), textColor: white, backgroundColor }
}

/** The connection status of a run or list, and its error. */
export function connectionTag({
  status,
  error,
}: {
  status: ConnectionStatus
  error: PlainError | null
}): Tag {
  const tooltip = error ? `${error.code}: ${clip(error.message, 200)}` : `The connection: ${status}`
  const backgroundColor = error ? connectionColours.offline : connectionColours[status]
  return { label: status, textColor: white, backgroundColor, tooltip }
}

/** How many tasks of a map step are done. */
export function progressTag({ initial_tasks, remaining_tasks }: PgflowStep): Tag[] {
  if (initial_tasks === null || initial_tasks <= 1) return []
  const done = initial_tasks - (remaining_tasks ?? initial_tasks)
  const tooltip = 'tasks done, of all'
  return [{ ...statusTag(`${done}/${initial_tasks}`, 'started'), tooltip }]
}

/** A tag for a step that is being retried. */
export function retryTag({ attempts_count, error_message }: StepRetry): Tag {
  const tooltip = clip(error_message ?? 'the attempt failed', 200)
  return { ...statusTag(`attempt ${attempts_count} failed`, 'failed'), tooltip }
}
