import { expect, it } from 'vitest'
import { codeOf, createKit, snapshot } from './support/kit.ts'

it('a restart opens no more channels than there may be', async () => {
  const kit = createKit({ maxChannels: 10 })
  const ids = Array.from({ length: 40 }, (_, n) => `r${n}`)
  for (const id of ids) kit.manager.observe(id)
  await (await kit.nextRequest()).reply(...ids.map((id) => snapshot(id, 1)))
  expect(kit.transport.openChannels).toHaveLength(10)
  const before = kit.transport.channels.length
  kit.manager.restart()
  expect(kit.transport.channels.length - before).toBe(10)
})

it('a restart does not read what nobody observes any more', async () => {
  const kit = createKit()
  const { release } = await kit.goLive('r', 1)
  release()
  kit.manager.restart()
  await kit.clock.advance(60_000)
  expect(kit.transport.requests).toHaveLength(1)
  expect(kit.left()).toBe(0)
})

it('a restart does not end a refresh: it resolves with the next snapshot', async () => {
  const kit = createKit()
  await kit.goLive('r', 1)
  const refreshed = codeOf(kit.manager.refresh('r'))
  await kit.nextRequest()
  kit.manager.restart()
  await (await kit.nextRequest()).reply(snapshot('r', 2))
  await (await kit.nextRequest()).reply(snapshot('r', 3))
  expect(await refreshed).toBe('none')
})
