import type { Json, PlainError, Progress, RunConnection } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { withoutKeys } from '../../playground/src/labels/output.ts'
import { connectionLabel, progressLabel } from '../../playground/src/labels/status.ts'

const refused: PlainError = { code: 'run_not_found', message: 'No such run.', hint: null }

function shownFor(given: Partial<RunConnection>): string {
  const connection: RunConnection = {
    status: 'closed',
    seq: 3,
    stalled: false,
    error: null,
    ...given,
  }
  const { label, about } = connectionLabel(connection)
  return `${label}. ${about}`
}

describe('the connection in the playground', () => {
  it('is called up to date only when the end is held', () => {
    expect(shownFor({})).toContain('Up to date')
    const text = shownFor({ error: refused })
    expect(text).not.toContain('Up to date')
    expect(text).toContain('may be old')
  })

  it('shows when a run has not changed for long', () => {
    expect(shownFor({ status: 'live' })).not.toContain('for a while')
    expect(shownFor({ status: 'live', stalled: true })).toContain('for a while')
  })
})

describe('the progress in the playground', () => {
  const none: Progress = { total: 5, completed: 0, failed: 0, skipped: 0, done: 0, fraction: 0 }

  it('distinguishes steps that failed or were skipped from those that are complete', () => {
    expect(progressLabel({ ...none, total: 0 })).toBe('Starting')
    expect(progressLabel({ ...none, completed: 2, done: 2 })).toBe('2 of 5 steps')
    const mixed = { ...none, completed: 1, failed: 1, skipped: 2, done: 4 }
    expect(progressLabel(mixed)).toBe('4 of 5 steps, 1 failed, 2 skipped')
  })
})

describe('an output without what only the next step needs', () => {
  it('has the keys neither in an object nor in each object of a list', () => {
    expect(withoutKeys({ a: 1, b: 2 }, ['b'])).toEqual({ a: 1 })
    expect(withoutKeys([{ a: 1, b: 2 }, 'b', null, ['b']], ['b'])).toEqual([
      { a: 1 },
      'b',
      null,
      ['b'],
    ])
    expect(withoutKeys('b', ['b'])).toBe('b')
  })

  it('takes a key for what it is, however it is called', () => {
    const row = JSON.parse('{"__proto__": 1, "constructor": 2}') as Json
    expect(JSON.stringify(withoutKeys(row, ['constructor']))).toBe('{"__proto__":1}')
    expect(JSON.stringify(withoutKeys(row, ['none']))).toBe(JSON.stringify(row))
  })
})
