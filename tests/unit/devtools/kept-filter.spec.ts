import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { KeptFilter } from '../../../src/devtools/kept-filter.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

it('keeps what is sought when a tree is sent, and no longer than it is sought', () => {
  const filter = new KeptFilter()
  filter.sent()
  expect(filter.of('')).toBe('')
  expect(filter.of('summary')).toBe('summary')
  filter.sent()
  vi.advanceTimersByTime(120)
  expect(filter.of('')).toBe('summary')
  // Asked for by the developer, who has emptied the field.
  expect(filter.of('')).toBe('')
  filter.sent()
  vi.advanceTimersByTime(120)
  expect(filter.of('')).toBe('')
})

it('takes an emptied field for what it is although a tree was sent that nobody asked for', () => {
  const filter = new KeptFilter()
  expect(filter.of('summary')).toBe('summary')
  filter.sent()
  vi.advanceTimersByTime(1_000)
  expect(filter.of('')).toBe('')
})
