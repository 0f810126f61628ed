import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ref } from 'vue'
import { LiveRefresh } from '../../../src/devtools/live-refresh.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function start() {
  const state = ref({ status: 'created' })
  const times: number[] = []
  const began = Date.now()
  const live = new LiveRefresh(
    () => state.value,
    () => times.push(Date.now() - began),
  )
  return { state, times, live }
}

it('refreshes a little after a change, and again in case another refresh took its place', () => {
  const { state, times } = start()
  vi.advanceTimersByTime(5_000)
  expect(times).toEqual([])
  state.value.status = 'started'
  vi.advanceTimersByTime(60_000)
  expect(times).toEqual([5_400, 5_800, 6_600, 8_200, 11_400])
  expect(vi.getTimerCount()).toBe(0)
})

it('refreshes soon again where something changes while a repetition is far away', () => {
  const { state, times } = start()
  state.value.status = 'started'
  vi.advanceTimersByTime(4_000)
  state.value.status = 'completed'
  vi.advanceTimersByTime(500)
  expect(times).toEqual([400, 800, 1_600, 3_200, 4_400])
})

it('refreshes at intervals while changes never end', () => {
  const { state, times } = start()
  for (let change = 0; change < 100; change += 1) {
    state.value.status = `status ${change}`
    vi.advanceTimersByTime(50)
  }
  expect(times).toHaveLength(12)
})

it('ends at once', () => {
  const { state, times, live } = start()
  state.value.status = 'started'
  live.stop()
  state.value.status = 'completed'
  live.touch()
  vi.advanceTimersByTime(60_000)
  expect(times).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})
