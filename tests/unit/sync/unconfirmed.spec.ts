import { describe, expect, it } from 'vitest'
import { createdStep } from '../../../src/model/entities.ts'
import { codeOf, createKit, down, snapshot } from './support/kit.ts'

describe('a message that held too little', () => {
  it('while a read is on its way that is older: another read follows', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    const cut = { step_slug: 'a', seq: 2, truncated: ['output'] }
    await kit.channelOf('r').receive('a:completed', cut)
    await read.reply(snapshot('r', 1))
    expect(kit.status('r')).toBe('connecting')
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.status('r')).toBe('live')
  })

  it('while a read is on its way that is older: the other read follows at once', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await kit.channelOf('r').receive('a:completed', { seq: 'x' })
    await read.reply(snapshot('r', 1))
    const before = kit.clock.time
    await kit.nextRequest()
    expect(kit.clock.time).toBe(before)
  })

  it('and is made up for before another read may be sent: none is', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    for (const seq of [1, 2]) {
      await kit.channelOf('r').receive('a:completed', { seq: 'x' })
      if (seq === 2) void kit.manager.refresh('r')
      await (await kit.nextRequest()).reply(snapshot('r', 1))
    }
    const asked = kit.transport.requests.length
    await kit.clock.advance(5_000)
    expect(kit.transport.requests).toHaveLength(asked)
  })

  it('while another read is on its way when one may be sent: it is not requested twice', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    for (const seq of [1, 2]) {
      await kit.channelOf('r').receive('a:completed', { seq: 'x' })
      if (seq === 1) await (await kit.nextRequest()).reply(snapshot('r', 1))
    }
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await kit.clock.advance(2_000)
    await read.reply(snapshot('r', 1))
    const asked = kit.transport.requests.length
    await kit.clock.advance(5_000)
    expect(kit.transport.requests).toHaveLength(asked)
  })

  it('while a read is on its way that has it: no other read follows', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    const cut = { step_slug: 'a', seq: 2, truncated: ['output'] }
    await kit.channelOf('r').receive('a:completed', cut)
    await read.reply(snapshot('r', 2))
    expect(kit.status('r')).toBe('live')
  })

  it('or could not be understood, while a read is on its way: another read follows', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await kit.channelOf('r').receive('a:completed', { seq: 'x' })
    await read.reply(snapshot('r', 1))
    expect(kit.status('r')).toBe('connecting')
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.status('r')).toBe('live')
  })
})

describe('changes', () => {
  it('that no snapshot has confirmed are not told', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.told.length = 0
    await kit.channelOf('r').receive('run:completed', { seq: 2, output: 'forged' })
    expect(kit.told).toEqual([])
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'completed'))
    expect(kit.told).toEqual(['run started → completed'])
  })

  it('that no snapshot has confirmed are not told with a snapshot that is older, either', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.told.length = 0
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await kit.channelOf('r').receive('run:completed', { seq: 2, output: 'forged' })
    await read.reply(snapshot('r', 1))
    expect(kit.state.runs.value.r?.status).toBe('completed')
    expect(kit.status('r')).toBe('connecting')
    expect(kit.told).toEqual([])
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'completed'))
    expect(kit.status('r')).toBe('closed')
    expect(kit.told).toEqual(['run started → completed'])
  })

  it('after a gap are not told before a snapshot has filled it', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.told.length = 0
    await kit.channelOf('r').receive('a:completed', { step_slug: 'a', seq: 5, output: 1 })
    await kit.channelOf('r').receive('a:completed', { step_slug: 'a', seq: 6, output: 1 })
    expect(kit.told).toEqual([])
    const step = { ...createdStep('r', 'a'), status: 'completed', output: 1 }
    await (await kit.nextRequest()).reply({ ...snapshot('r', 6), steps: [step] })
    expect(kit.told).toEqual(['a created → completed'])
  })

  it('that came after a repair are not confirmed by a snapshot of the end before it', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').receive('run:failed', { seq: 2, status: 'failed' })
    const read = await kit.nextRequest()
    await kit.channelOf('r').receive('run:started', { seq: 3, status: 'started' })
    await kit.channelOf('r').receive('run:completed', { seq: 4, status: 'completed' })
    await read.reply(snapshot('r', 2, 'failed'))
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'failed'))
    expect(kit.state.runs.value.r?.status).toBe('completed')
    await (await kit.nextRequest()).reply(snapshot('r', 4, 'completed'))
    expect(kit.status('r')).toBe('closed')
  })

  it('that are certain are notified at once', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.told.length = 0
    await kit.channelOf('r').receive('a:started', { step_slug: 'a', seq: 2, initial_tasks: 1 })
    expect(kit.told).toEqual(['a created → started'])
  })
})

describe('a page that nobody sees', () => {
  it('requests it again for what is held to be missing when the first read has failed', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.show(false)
    await kit.channelOf('r').receive('a:completed', { step_slug: 'a', seq: 5 })
    await (await kit.nextRequest()).fail(down())
    await (await kit.nextRequest()).reply(snapshot('r', 5))
    expect(kit.status('r')).toBe('live')
  })

  it('requests it again for an end whose first confirmation has failed', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.show(false)
    await kit.channelOf('r').receive('run:completed', { seq: 2, output: {} })
    await (await kit.nextRequest()).fail(down())
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'completed'))
    expect(kit.status('r')).toBe('closed')
  })
})

describe('a flood of doubts', () => {
  it('causes one read at once, then at most one a second, and fewer while it lasts', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const asked: number[] = []
    const from = kit.clock.time
    for (let tick = 0; tick < 50 * 60; tick += 1) {
      await kit.channelOf('r').receive('a:completed', { seq: 'x' })
      await kit.clock.advance(20)
      const request = kit.transport.requests.at(-1)
      if (request && kit.transport.requests.length > asked.length + 1) {
        asked.push(kit.clock.time - from)
        await request.reply(snapshot('r', 1))
      }
    }
    expect(asked[0]).toBeLessThanOrEqual(20)
    const gaps = asked.slice(1).map((at, index) => at - (asked[index] ?? 0))
    const seconds = gaps.map((gap) => Math.round(gap / 1_000))
    expect(seconds).toEqual([1, 2, 4, 8, 10, 10, 10, 10])
  })

  it('leaves no timer when the run is released', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').receive('a:completed', { seq: 'x' })
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    await kit.channelOf('r').receive('a:completed', { seq: 'x' })
    kit.manager.remove('r')
    expect(kit.left()).toBe(0)
    const asked = kit.transport.requests.length
    await kit.clock.advance(10_000)
    expect(kit.transport.requests).toHaveLength(asked)
  })

  it('that is over is forgotten: the next doubt is read at once', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    for (let n = 0; n < 3; n += 1) {
      await kit.channelOf('r').receive('a:completed', { seq: 'x' })
      const before = kit.clock.time
      const read = await kit.nextRequest()
      expect(kit.clock.time - before).toBe(0)
      await read.reply(snapshot('r', 1))
      await kit.clock.advance(1_100)
    }
  })
})

describe.each([{ isPrivate: false }, { isPrivate: true }])(
  'an end in a snapshot (%o)',
  (options) => {
    it('closes the run although another read is queued', async () => {
      const kit = createKit(options)
      kit.manager.observe('r')
      const read = await kit.nextRequest()
      await kit.channelOf('r').join()
      await read.reply(snapshot('r', 9, 'completed'))
      expect(kit.status('r')).toBe('closed')
    })

    it('closes the run, too, where the queued read fails and nobody sees the page', async () => {
      const kit = createKit({ ...options, maxChannels: 0 })
      kit.manager.observe('r')
      const read = await kit.nextRequest()
      const refreshed = codeOf(kit.manager.refresh('r'))
      await read.reply(snapshot('r', 9, 'completed'))
      kit.show(false)
      await (await kit.nextRequest()).fail(down())
      expect(await refreshed).toBe('unreachable')
      expect(kit.status('r')).toBe('closed')
    })
  },
)
