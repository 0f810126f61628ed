import { describe, expect, it } from 'vitest'
import { anyStart, codeOf, createKit, snapshot } from './support/kit.ts'

type Kit = ReturnType<typeof createKit>

/** The database answers whatever is asked for so long. */
async function answerFor(kit: Kit, ms: number) {
  const end = kit.clock.time + ms
  let asked = 0
  while (kit.clock.time < end) {
    const request = await kit.nextRequest()
    asked += 1
    if (request.kind === 'seqs') await request.replySeqs({ r: 1 })
    else await request.reply(snapshot('r', 1))
  }
  return asked
}

describe('a private run whose start has failed here, and that exists', () => {
  it.each(['timeout', 'aborted'])('is joined once a read has found it (%s)', async (why) => {
    const kit = createKit({ isPrivate: true, hasSeqs: true })
    const giveUp = new AbortController()
    const given = why === 'timeout' ? { timeout: 1_000 } : { signal: giveUp.signal }
    const start = codeOf(kit.manager.start('r', { ...anyStart, ...given }))
    kit.manager.observe('r')
    expect((await kit.nextRequest()).kind).toBe('start') // its reply is lost
    if (why === 'aborted') giveUp.abort()
    await kit.clock.advance(1_000)
    expect(await start).toBe(why)
    await answerFor(kit, 300_000)
    expect(kit.transport.openChannels).toHaveLength(1)
  })

  it('is joined where somebody had observed it before the start', async () => {
    const kit = createKit({ isPrivate: true, hasSeqs: true })
    kit.manager.observe('r')
    await (await kit.nextRequest()).reply() // not there yet
    await kit.channelOf('r').goDown()
    const start = codeOf(kit.manager.start('r', { ...anyStart, timeout: 1_000 }))
    expect((await kit.nextRequest()).kind).toBe('start')
    await kit.clock.advance(1_000)
    await start
    await answerFor(kit, 300_000)
    expect(kit.transport.openChannels).toHaveLength(1)
  })
})

it('a start of a private run that is live leaves its channel', async () => {
  const kit = createKit({ isPrivate: true })
  await kit.goLive('r', 1)
  const started = kit.manager.start('r', anyStart)
  const start = await kit.nextRequest()
  expect(kit.status('r')).toBe('live')
  await start.reply(snapshot('r', 1))
  await started
  expect(kit.transport.channels).toHaveLength(1)
  expect(kit.status('r')).toBe('live')
})
