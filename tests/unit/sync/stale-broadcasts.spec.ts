import { expect, it } from 'vitest'
import { createKit } from './support/kit.ts'

it('duplicates of old broadcasts do not put off the probe', async () => {
  const kit = createKit({ hasSeqs: true })
  await kit.goLive('r', 3)
  const before = kit.clock.time
  const asked = kit.transport.requests.length
  // The broadcast of seq 4 is lost; one of seq 2 is delivered again and again.
  while (kit.transport.requests.length === asked && kit.clock.time - before < 300_000) {
    await kit.clock.advance(2_500)
    await kit.channelOf('r').receive('a:started', { seq: 2, step_slug: 'a', initial_tasks: 1 })
  }
  expect(kit.clock.time - before).toBeLessThan(30_000)
})
