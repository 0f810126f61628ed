import { describe, expect, it } from 'vitest'
import type { RunSnapshot } from '../../../src/model/entities.ts'
import { anyStart, codeOf, createKit, down, snapshot } from './support/kit.ts'

/** What plain pgflow returns: nothing says how new it is. */
const plain = (status?: string): RunSnapshot => ({ ...snapshot('r', 0, status), seq: null })

/** A run of plain pgflow that is live. */
async function liveKit() {
  const kit = createKit()
  kit.manager.observe('r')
  await kit.channelOf('r').join()
  await (await kit.nextRequest()).reply(plain())
  expect(kit.status('r')).toBe('live')
  return kit
}

describe('a run that is not counted', () => {
  it('that has ended by a forged broadcast continues, once the database has reported so seven times', async () => {
    const kit = await liveKit()
    await kit.channelOf('r').receive('run:completed', { output: 'forged' })
    expect(kit.state.runs.value.r?.status).toBe('completed')
    for (let answers = 0; answers < 6; answers += 1) {
      await (await kit.nextRequest()).reply(plain())
      expect(kit.state.runs.value.r?.status).toBe('completed')
      expect(kit.status('r')).not.toBe('closed')
    }
    await (await kit.nextRequest()).reply(plain())
    expect(kit.state.runs.value.r).toMatchObject({ status: 'started', output: null })
    expect(kit.status('r')).toBe('live')
  })

  it('is not taken back by one outdated snapshot', async () => {
    const kit = await liveKit()
    await kit.channelOf('r').receive('run:completed', { output: 'true' })
    await (await kit.nextRequest()).reply(plain())
    expect(kit.state.runs.value.r?.status).toBe('completed')
    await (await kit.nextRequest()).reply(plain('completed'))
    expect(kit.status('r')).toBe('closed')
    expect(kit.state.connections.value.r).toMatchObject({ seq: null })
  })
})

it('the response to a start does not take back a run that is not counted', async () => {
  const kit = await liveKit()
  await kit.channelOf('r').receive('run:completed', { output: 'true' })
  const read = await kit.nextRequest()
  const start = codeOf(kit.manager.start('r', anyStart))
  await read.fail(down())
  const request = await kit.nextRequest()
  expect(request.kind).toBe('start')
  await request.reply(plain())
  expect(kit.state.runs.value.r).toMatchObject({ status: 'completed', output: 'true' })
  await (await kit.nextRequest()).reply(plain('completed'))
  expect(await start).toBe('none')
})

it('what is received a run that is not counted does not put off the next read', async () => {
  const kit = await liveKit()
  await kit.clock.advance(10_000)
  await kit.channelOf('r').receive('a:started', { step_slug: 'a', status: 'started' })
  const before = kit.clock.time
  await kit.nextRequest()
  expect(kit.clock.time - before).toBe(5_000 + 250)
})

it('a run that is not counted is read and never probed, where others can be', async () => {
  const kit = createKit({ hasSeqs: true })
  kit.manager.observe('r')
  await kit.channelOf('r').join()
  await (await kit.nextRequest()).reply(plain())
  expect(kit.status('r')).toBe('live')
  expect((await kit.nextRequest()).kind).toBe('read')
})
