import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backoff, systemScheduler } from '../../../src/model/scheduler.ts'

/** The longest that a timer of JavaScript can wait, in ms. */
const longest = 2 ** 31 - 1

describe('the real clock', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('returns how much time has passed', () => {
    const { now } = systemScheduler()
    const before = now()
    vi.advanceTimersByTime(1_234)
    expect(now() - before).toBe(1_234)
  })

  it('calls once, when the time has passed', () => {
    const task = vi.fn()
    systemScheduler().after(100, task)
    vi.advanceTimersByTime(99)
    expect(task).not.toHaveBeenCalled()
    vi.advanceTimersByTime(100_000)
    expect(task).toHaveBeenCalledTimes(1)
  })

  it('does not call what was taken back', () => {
    const task = vi.fn()
    systemScheduler().after(100, task)()
    vi.advanceTimersByTime(100_000)
    expect(task).not.toHaveBeenCalled()
  })

  it('never calls what waits longer than a timer can, and can take it back', () => {
    const task = vi.fn()
    const { after } = systemScheduler()
    after(longest, task)
    expect(vi.getTimerCount()).toBe(1)
    after(longest + 1, task)()
    after(Infinity, task)
    expect(vi.getTimerCount()).toBe(1)
  })
})

describe('the real dice', () => {
  it('are drawn again each time, from 0 up to 1', () => {
    const { random } = systemScheduler()
    const rolled = Array.from({ length: 100 }, () => random())
    expect(new Set(rolled).size).toBeGreaterThan(90)
    expect(rolled.every((roll) => roll >= 0 && roll < 1)).toBe(true)
  })
})

describe('the wait before another attempt', () => {
  it.each([
    [0, 500],
    [1, 1_000],
    [2, 2_000],
    [3, 5_000],
    [4, 10_000],
    [5, 30_000],
    [6, 30_000],
    [1_000, 30_000],
  ])('number %i is %i ms, give or take a quarter', (attempt, ms) => {
    expect(backoff(attempt, () => 0)).toBe(ms * 0.75)
    expect(backoff(attempt, () => 0.5)).toBe(ms)
    expect(backoff(attempt, () => 1)).toBe(ms * 1.25)
  })
})
