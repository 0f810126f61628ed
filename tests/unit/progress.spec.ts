import { durationOf, taskProgressOf, type PgflowStep } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { createdStep, pendingRun } from '../../src/model/entities.ts'
import { progressOf } from '../../src/model/progress.ts'

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
    const progress = progressOf(steps)
    expect(progress).toEqual({ total: 5, done: 3, failed: 1, skipped: 1, fraction: 0.75 })
  })

  it('is at 0 for a run without steps', () => {
    expect(progressOf([])).toMatchObject({ total: 0, fraction: 0 })
  })
})

describe('taskProgressOf', () => {
  it.each([
    ['a map step that does not know its size', { status: 'created' }, 0, 0, 0],
    ['one under way', { status: 'started', initial_tasks: 4, remaining_tasks: 1 }, 4, 3, 0.75],
    ['one over nothing', { status: 'completed', initial_tasks: 0, remaining_tasks: 0 }, 0, 0, 1],
    ['one whose end is all that is known', { status: 'completed', initial_tasks: 4 }, 4, 4, 1],
    ['a failed one', { status: 'failed', initial_tasks: 4, remaining_tasks: 3 }, 4, 1, 0.25],
  ])('of %s', (_name, fields, total, done, fraction) => {
    expect(taskProgressOf(step('m', fields))).toEqual({ total, done, fraction })
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
