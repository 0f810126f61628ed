import type { PgflowStep } from '../model/entities.ts'

/**
 * The shown state of a step: its status, with `retrying` for one whose last attempt failed and is
 * retried, and `unknown` for a status of a later pgflow.
 */
export type StepState =
  'waiting' | 'running' | 'retrying' | 'completed' | 'failed' | 'skipped' | 'unknown'

const states = new Map<string, StepState>([
  ['created', 'waiting'],
  ['started', 'running'],
  ['completed', 'completed'],
  ['failed', 'failed'],
  ['skipped', 'skipped'],
])

/** The state of a step; `waiting` while the store does not hold it. */
export function stateOf(
  step: Pick<PgflowStep, 'status'> | undefined,
  isRetried: boolean,
): StepState {
  const state = step ? (states.get(step.status) ?? 'unknown') : 'waiting'
  return state === 'running' && isRetried ? 'retrying' : state
}

/** The sign of each state in a square of 16: states differ by more than their colour. */
export const signs: Readonly<Record<StepState, string>> = {
  waiting: 'M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 1 1 0 -11',
  running: 'M5 3L13 8L5 13Z',
  retrying: 'M13 8a5 5 0 1 1 -2 -4M11.5 1V4.5H8',
  completed: 'M2.5 8.5L6.5 12.5L13.5 4',
  failed: 'M3.5 3.5L12.5 12.5M12.5 3.5L3.5 12.5',
  skipped: 'M3 3.5L7.5 8L3 12.5M8.5 3.5L13 8L8.5 12.5',
  unknown: 'M5.5 6a2.5 2.5 0 1 1 3.6 2.2C8.3 8.6 8 9 8 10M8 13V13.2',
}
