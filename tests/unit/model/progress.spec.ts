import { durationOf, taskProgressOf, type PgflowStep } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { createdStep, pendingRun } from '../../../src/model/entities.ts'
import { progressOf } from '../../../src/model/progress.ts'

const step = (slug: string, fields: Partial<PgflowStep>): PgflowStep => ({
  ...createdStep('r', slug),
  ...fields,
})

describe('progressOf', () => {
  it('counts steps by outcome, and the finished tasks of those under way', () => {
    const steps = [
      step('a', { status: 'completed', initial_tasks: 1, remaining_tasks: 0 }),
      step('b', { status: 'skipped' }),
      step('c', { status: 'failed', initial_tasks: 4, remaining_tasks: 1 }),
      step('d', { status: 'started', initial_tasks: 8, remaining_tasks: 2 }),
      step('e', {}),
    ]
    const counts = { total: 5, completed: 1, failed: 1, skipped: 1, done: 3 }
    expect(progressOf(steps)).toEqual({ ...counts, fraction: 0.75 })
  })

  it('counts a step that ended in another way as done, and as nothing else', () => {
    const steps = [step('a', { status: 'cancelled' }), step('b', {})]
    const counts = { total: 2, completed: 0, failed: 0, skipped: 0, done: 1 }
    expect(progressOf(steps)).toEqual({ ...counts, fraction: 0.5 })
  })

  it('is at 0 for a run without steps', () => {
    expect(progressOf([])).toMatchObject({ total: 0, fraction: 0 })
  })
})

describe('taskProgressOf', () => {
  const none = { total: 0, completed: 0, failed: 0, skipped: 0, done: 0, fraction: 0 }

  it.each([
    ['a map step that does not know its size', { status: 'created' }, none],
    [
      'one under way',
      { status: 'started', initial_tasks: 4, remaining_tasks: 1 },
      { ...none, total: 4, completed: 3, done: 3, fraction: 0.75 },
    ],
    [
      'one over nothing',
      { status: 'completed', initial_tasks: 0, remaining_tasks: 0 },
      { ...none, fraction: 1 },
    ],
    [
      'one whose end is all that is known',
      { status: 'completed', initial_tasks: 4 },
      { ...none, total: 4, completed: 4, done: 4, fraction: 1 },
    ],
    [
      'one that failed: by one task, the others are given up',
      { status: 'failed', initial_tasks: 4, remaining_tasks: 3 },
      { ...none, total: 4, completed: 1, failed: 1, done: 2, fraction: 0.5 },
    ],
    [
      'a step of one task that failed',
      { status: 'failed', initial_tasks: 1, remaining_tasks: 1 },
      { ...none, total: 1, failed: 1, done: 1, fraction: 1 },
    ],
    ['one that failed before it had tasks', { status: 'failed' }, none],
    [
      'one that was skipped',
      { status: 'skipped', initial_tasks: 3, remaining_tasks: 3 },
      { ...none, total: 3, skipped: 3, done: 3, fraction: 1 },
    ],
    [
      'one that ended in another way',
      { status: 'cancelled', initial_tasks: 3, remaining_tasks: 2 },
      { ...none, total: 3, completed: 1, done: 1, fraction: 1 },
    ],
  ])('of %s', (_name, fields, expected) => {
    expect(taskProgressOf(step('m', fields))).toEqual(expected)
  })
})

describe('durationOf', () => {
  const started_at = '2026-11-23T10:00:00.000+00:00'
  const begun = Date.parse(started_at)

  it('is from the start to the end, or to now', () => {
    const run = { ...pendingRun('r', 'f', null), started_at }
    expect(durationOf(run, begun + 250)).toBe(250)
    expect(durationOf({ ...run, failed_at: '2026-11-23T10:00:02+00:00' }, begun)).toBe(2_000)
    expect(durationOf({ ...run, completed_at: '2026-11-23T10:00:03+00:00' })).toBe(3_000)
  })

  it('is null before the start, and not below 0 when the clocks differ', () => {
    expect(durationOf(pendingRun('r', 'f', null))).toBeNull()
    expect(durationOf({ ...pendingRun('r', 'f', null), started_at }, begun - 5_000)).toBe(0)
  })
})
