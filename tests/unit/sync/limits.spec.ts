import { expect, it } from 'vitest'
import { DoubtLimiter } from '../../../src/sync/limits.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

/** A limiter, and when it has read, in ms. */
function createLimiter() {
  const clock = new VirtualClock(() => 0.5)
  const reads: number[] = []
  const limiter = new DoubtLimiter(clock, 10_000, () => reads.push(clock.time))
  return { clock, reads, limiter }
}

it('one doubt is one request', async () => {
  const { clock, reads, limiter } = createLimiter()
  limiter.request()
  await clock.advance(60_000)
  expect(reads).toEqual([0])
})

it('a doubt that waits is one request, and no other follows', async () => {
  const { clock, reads, limiter } = createLimiter()
  limiter.request()
  limiter.request()
  limiter.request()
  await clock.advance(60_000)
  expect(reads).toEqual([0, 1_000])
})

it('a doubt from before the stop causes no request afterwards', async () => {
  const { clock, reads, limiter } = createLimiter()
  limiter.request()
  limiter.request()
  limiter.stop()
  limiter.request()
  await clock.advance(60_000)
  expect(reads).toEqual([0, 0])
})
