import { watch } from 'vue'
import { expect, it } from 'vitest'
import { createKit, snapshot } from './support/kit.ts'

it('a polled run is not shown as idle at each snapshot', async () => {
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

it('a polled run costs probes alone while nothing is new, and one read when something is', async () => {
  const kit = createKit({ hasSeqs: true })
  await kit.goLive('r', 1)
  await kit.channelOf('r').goDown()
  await (await kit.nextRequest()).reply(snapshot('r', 1))
  for (let n = 0; n < 5; n += 1) {
    const probe = await kit.nextRequest()
    expect(probe.kind).toBe('seqs')
    await probe.replySeqs({ r: 1 })
    expect(kit.status('r')).toBe('polling')
  }
  await (await kit.nextRequest()).replySeqs({ r: 2 })
  const read = await kit.nextRequest()
  expect(read.kind).toBe('read')
  await read.reply(snapshot('r', 2))
  expect((await kit.nextRequest()).kind).toBe('seqs')
})
