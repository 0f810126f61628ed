import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { codeOf, createKit, down, snapshot } from './support/kit.ts'

describe('live', () => {
  it('is not shown while a broadcast is known to be missing', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').receive('a:completed', { step_slug: 'a', seq: 5 })
    expect(kit.status('r')).not.toBe('live')
    await (await kit.nextRequest()).reply(snapshot('r', 5))
    expect(kit.status('r')).toBe('live')
  })

  it('is not shown after an incomplete broadcast until a snapshot has followed', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const cut = { step_slug: 'a', seq: 2, truncated: ['output'] }
    await kit.channelOf('r').receive('a:completed', cut)
    expect(kit.status('r')).not.toBe('live')
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.status('r')).toBe('live')
  })

  it('is not shown after joining again until a snapshot has followed', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').goDown()
    await kit.channelOf('r').join()
    expect(kit.status('r')).toBe('connecting')
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    expect(kit.status('r')).toBe('live')
  })

  it('is not shown after joining again, though no loss was reported', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').join()
    expect(kit.status('r')).toBe('connecting')
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    expect(kit.status('r')).toBe('live')
  })

  it('is not shown because of a snapshot that was requested before joining [F3]', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    const early = await kit.nextRequest()
    await kit.channelOf('r').join()
    await early.reply(snapshot('r', 1))
    expect(kit.status('r')).toBe('connecting')
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.status('r')).toBe('live')
  })
})

describe('the snapshot in the end', () => {
  it('wins against a broadcast that claims to be far ahead of it', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').receive('run:completed', { seq: 1e9, output: 'forged' })
    expect(kit.state.runs.value.r?.status).toBe('completed')
    let asked = 0
    while (kit.state.runs.value.r?.status !== 'started' && asked < 20) {
      await (await kit.nextRequest()).reply(snapshot('r', 2))
      asked += 1
    }
    expect(kit.state.runs.value.r).toMatchObject({ status: 'started', output: null })
  })

  it('has to confirm an end that only a broadcast reports: anybody could have sent it', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').receive('run:completed', { seq: 2, output: 'forged' })
    expect(kit.status('r')).toBe('connecting')
    let asked = 0
    while (kit.state.runs.value.r?.status !== 'started' && asked < 20) {
      expect(kit.status('r')).not.toBe('closed')
      await (await kit.nextRequest()).reply(snapshot('r', 1))
      asked += 1
    }
    expect(kit.state.runs.value.r).toMatchObject({ status: 'started', output: null })
    expect(kit.status('r')).toBe('live')
  })

  it('is requested again for an end that could not be confirmed, when the page is visible again', async () => {
    const kit = createKit({ gcTime: 0 })
    const { release } = await kit.goLive('r', 1)
    await kit.channelOf('r').receive('run:completed', { seq: 2, truncated: ['output'] })
    await (await kit.nextRequest()).fail(new PgflowError('unauthorized', 'The session is over.'))
    expect(kit.status('r')).toBe('offline')
    release()
    await kit.clock.advance(1)
    const { ready } = kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'completed'))
    await ready
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', error: null })
  })

  it('is requested once when the end is true, and the channel is left [F12]', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').receive('run:completed', { seq: 2, output: 'all' })
    expect(kit.state.runs.value.r?.status).toBe('completed')
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'completed'))
    expect(kit.status('r')).toBe('closed')
    expect(kit.transport.openChannels).toEqual([])
    await kit.clock.advance(120_000)
    expect(kit.transport.requests).toHaveLength(2)
  })

  it('need not confirm the end of a private run, on whose channel nobody can send', async () => {
    const kit = createKit({ isPrivate: true })
    await kit.goLive('r', 1)
    await kit.channelOf('r').receive('run:completed', { seq: 2, output: 'all' })
    expect(kit.status('r')).toBe('closed')
  })

  it('is requested again while it seems to come from an outdated replica', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    const refreshed = kit.manager.refresh('r')
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    expect(kit.state.connections.value.r?.seq).toBe(5)
    await (await kit.nextRequest()).reply(snapshot('r', 6))
    await refreshed
    expect(kit.state.connections.value.r?.seq).toBe(6)
  })
})

describe('ready', () => {
  it('holds when everything is forgotten and read again', async () => {
    const kit = createKit()
    const { ready } = kit.manager.observe('r')
    const first = await kit.nextRequest()
    kit.manager.restart()
    await first.reply(snapshot('r', 1))
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    await ready
    expect(kit.state.connections.value.r?.seq).toBe(2)
  })

  it('does not resolve before the run is in the store', async () => {
    const kit = createKit()
    const { ready } = kit.manager.observe('r')
    let isReady = false
    void ready.then(() => (isReady = true))
    await kit.channelOf('r').receive('a:started', { step_slug: 'a', seq: 2 })
    // Asked before the run existed: a broadcast of it came since.
    await (await kit.nextRequest()).reply()
    expect(isReady).toBe(false)
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(isReady).toBe(true)
    expect(kit.state.runs.value.r?.status).toBe('started')
  })

  it('does not reject for a run that is in the store already', async () => {
    const kit = createKit({ gcTime: 0 })
    const { release } = await kit.goLive('r', 1)
    release()
    await kit.clock.advance(1)
    const { ready } = kit.manager.observe('r')
    await (await kit.nextRequest()).fail(down())
    expect(await codeOf(ready)).toBe('none')
  })
})

describe('reads of several runs', () => {
  it('go out together, and one that is in a sendNow takes the others along', async () => {
    const kit = createKit()
    await kit.goLive('a', 1)
    await kit.goLive('b', 1)
    // A join may be one of many: its read waits for others.
    await kit.channelOf('a').join()
    const before = kit.clock.time
    const refreshed = kit.manager.refresh('b')
    const read = await kit.nextRequest()
    expect(kit.clock.time).toBe(before)
    expect([...read.runIds].sort()).toEqual(['a', 'b'])
    await read.reply(snapshot('a', 1), snapshot('b', 1))
    await refreshed
  })

  it('do not wait for ever because others keep coming', async () => {
    const kit = createKit()
    const runIds = Array.from({ length: 60 }, (_, index) => `r${index}`)
    for (const runId of runIds) await kit.goLive(runId, 1)
    const asked = kit.transport.requests.length
    for (const runId of runIds) {
      await kit.channelOf(runId).join()
      await kit.clock.advance(90)
    }
    expect(kit.transport.requests.length).toBeGreaterThan(asked)
  })
})

describe('on a server that renders', () => {
  it('a run is read once, and nothing is left behind', async () => {
    const kit = createKit({ isServer: true })
    const { ready, release } = kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    await ready
    expect(kit.state.runs.value.r?.status).toBe('started')
    release()
    expect(kit.transport.channels).toEqual([])
    expect(kit.left()).toBe(0)
  })
})

describe('a page that nobody sees', () => {
  it('requests nothing, whether it is live or polls, and requests it at once when it is seen again [F20]', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.show(false)
    await kit.clock.advance(3_600_000)
    await kit.channelOf('r').goDown()
    await kit.clock.advance(3_600_000)
    expect(kit.transport.requests).toHaveLength(1)
    const before = kit.clock.time
    kit.show(true)
    await (await kit.nextRequest()).reply(snapshot('r', 9))
    expect(kit.clock.time - before).toBeLessThan(1_000)
    expect(kit.state.connections.value.r?.seq).toBe(9)
  })
})

describe('a run in which nothing changes', () => {
  it('is reported to be stalled after a while, until something does [F8]', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const isStalled = () => kit.state.connections.value.r?.stalled
    while (kit.clock.time < 115_000) {
      expect(isStalled()).toBe(false)
      await (await kit.nextRequest()).reply(snapshot('r', 1))
    }
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(isStalled()).toBe(true)
    await kit.channelOf('r').receive('a:started', { seq: 2, step_slug: 'a', initial_tasks: 1 })
    expect(isStalled()).toBe(false)
  })
})
