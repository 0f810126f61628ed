import { watch } from 'vue'
import { expect, it } from 'vitest'
import { createKit, snapshot } from './support/kit.ts'

it('a polled run is not said to be idle at each answer', async () => {
  const kit = createKit({ hasSeqs: false })
  await kit.goLive('r', 1)
  await kit.channelOf('r').goDown()
  const seen: (string | undefined)[] = []
  watch(
    () => kit.status('r'),
    (status) => seen.push(status),
    { flush: 'sync' },
  )
  for (let n = 0; n < 3; n += 1) await (await kit.nextRequest()).reply(snapshot('r', 1))
  expect(seen).not.toContain('idle')
})
