import { expect, it } from 'vitest'
import { createKit, snapshot } from './support/kit.ts'

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
