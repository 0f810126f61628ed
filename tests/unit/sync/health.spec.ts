import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { Health } from '../../../src/sync/health.ts'
import type { Subscription } from '../../../src/sync/subscription.ts'

const closed: Subscription = {
  isOpen: false,
  isJoined: false,
  isDown: false,
  isSilent: false,
  error: null,
  open: () => undefined,
  close: () => undefined,
  markSilent: () => undefined,
}
const joined = { ...closed, isOpen: true, isJoined: true }
const down = { ...closed, isOpen: true, isDown: true }
const error = new PgflowError('unreachable', 'The server is down.')

/** Of what nothing is known yet. */
const fresh = {
  needsSnapshot: true,
  error: null,
  hasPolled: false,
  isLost: false,
  isSuspected: false,
  isUnreceived: false,
  isOverruled: false,
  isStalled: false,
}

it('of a resource that was never followed is idle', () => {
  expect(new Health()).toEqual(fresh)
})

it('of what is followed no more, nothing is kept of how it was read', () => {
  const health = new Health()
  const before = { ...fresh, hasPolled: true, isLost: true, isSuspected: true, error }
  Object.assign(health, before)
  health.reset()
  expect(health).toEqual(fresh)
})

describe('what is followed', () => {
  it.each<[string, Partial<Health>, Subscription, boolean]>([
    ['connecting', {}, closed, false],
    ['connecting', {}, { ...closed, isOpen: true }, false],
    ['connecting', { hasPolled: true }, { ...closed, isOpen: true }, false],
    ['connecting', {}, joined, false],
    ['live', { needsSnapshot: false }, joined, false],
    ['polling', { needsSnapshot: false }, { ...joined, isSilent: true }, false],
    ['polling', { hasPolled: true }, closed, false],
    ['polling', { hasPolled: true }, down, false],
    ['offline', {}, down, false],
    ['offline', { needsSnapshot: false, error }, joined, false],
    ['offline', { needsSnapshot: false }, joined, true],
  ])('is %s with %o', (status, known, subscription, isOffline) => {
    const health = Object.assign(new Health(), known)
    expect(health.status('following', subscription, isOffline)).toBe(status)
  })
})
