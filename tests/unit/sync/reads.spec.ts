import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { settle } from '../../support/virtual-clock.ts'
import { anyStart, codeOf, createKit, down, snapshot } from './support/kit.ts'

describe('a second observer', () => {
  it('of a run that is live requests nothing', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const { ready } = kit.manager.observe('r')
    await ready
    await kit.clock.advance(1_000)
    expect(kit.transport.requests).toHaveLength(1)
    expect(kit.status('r')).toBe('live')
  })

  it('of a run whose read has failed requests it at once', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await (await kit.nextRequest()).fail(down())
    const before = kit.clock.time
    const { ready } = kit.manager.observe('r')
    const read = await kit.nextRequest()
    expect(kit.clock.time).toBe(before)
    await read.reply(snapshot('r', 1))
    expect(await codeOf(ready)).toBe('none')
  })
})

describe('a refresh', () => {
  it('that gets an older snapshot requests it again, each time a little later', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    void kit.manager.refresh('r')
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    for (const wait of [250, 500, 750, 1_000]) {
      const before = kit.clock.time
      const read = await kit.nextRequest()
      expect(kit.clock.time - before).toBe(wait)
      await read.reply(snapshot('r', 3))
    }
  })

  it('shares its retries with those that were called later', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    void kit.manager.refresh('r')
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    await kit.clock.advance(100)
    void kit.manager.refresh('r')
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    const before = kit.clock.time
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    expect(kit.clock.time - before).toBe(150)
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    expect(kit.clock.time - before).toBe(150 + 750)
  })

  it('after a long outage does not wait long between its requests', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    await kit.channelOf('r').goDown()
    for (let n = 0; n < 240; n += 1) await (await kit.nextRequest()).fail(down())
    const refreshed = codeOf(kit.manager.refresh('r'))
    const from = kit.clock.time
    await (await kit.nextRequest()).reply(snapshot('r', 4))
    await (await kit.nextRequest()).reply(snapshot('r', 6))
    await kit.clock.advance(0)
    while (kit.clock.time - from < 5_000) await kit.clock.step()
    await (await kit.nextRequest()).reply(snapshot('r', 6))
    expect(await refreshed).toBe('none')
    expect(kit.clock.time - from).toBeLessThan(10_000)
  })

  it('that shares a queued request is sent right after the one under way', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await kit.channelOf('r').join()
    void kit.manager.refresh('r')
    const before = kit.clock.time
    await read.reply(snapshot('r', 1))
    await kit.nextRequest()
    expect(kit.clock.time - before).toBe(0)
  })

  it('goes on after a reset, with all that wait for it', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    const codes = [1, 2, 3].map(() => codeOf(kit.manager.refresh('r')))
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    await kit.clock.advance(100)
    kit.manager.restart()
    await (await kit.nextRequest()).reply(snapshot('r', 6))
    expect(await Promise.all(codes)).toEqual(['none', 'none', 'none'])
  })

  it('of a run that is removed ends for all that wait for it', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    const codes = [1, 2, 3].map(() => codeOf(kit.manager.refresh('r')))
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    await kit.clock.advance(100)
    kit.manager.remove('r')
    expect(await Promise.all(codes)).toEqual(['aborted', 'aborted', 'aborted'])
    expect(kit.left()).toBe(0)
  })

  it('of a run that is being started waits for the start', async () => {
    const kit = createKit()
    const started = kit.manager.start('r', anyStart)
    const start = await kit.nextRequest()
    let isRefreshed = false
    const refreshed = kit.manager.refresh('r').then(() => (isRefreshed = true))
    await start.reply(snapshot('r', 1))
    await started
    expect(isRefreshed).toBe(false)
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    await refreshed
  })

  it('ends with the store', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    const refreshed = kit.manager.refresh('r').catch((error: unknown) => error)
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    kit.manager.dispose()
    expect(await refreshed).toMatchObject({
      code: 'aborted',
      message: 'It is not followed any more.',
    })
  })
})

describe('a start', () => {
  it('of a run whose end is held opens no channel, and changes nothing', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 4, 'completed'))
    expect(kit.status('r')).toBe('closed')
    const opened = kit.transport.channels.length
    const started = kit.manager.start('r', anyStart)
    const request = await kit.nextRequest()
    expect(kit.status('r')).toBe('closed')
    await request.reply(snapshot('r', 4, 'completed'))
    await started
    await kit.clock.advance(60_000)
    expect(kit.status('r')).toBe('closed')
    expect(kit.transport.channels).toHaveLength(opened)
    expect(kit.transport.requests).toHaveLength(2)
  })

  it('that is refused is reported to its caller, and to nobody else', async () => {
    const kit = createKit()
    const started = codeOf(kit.manager.start('r', anyStart))
    await (await kit.nextRequest()).fail(new PgflowError('flow_not_found', 'No such flow.'))
    expect(await started).toBe('flow_not_found')
    expect(kit.reported).toEqual([])
  })

  it('that ends with the store rejects with the reason', async () => {
    const kit = createKit()
    const failure = () => kit.manager.start('r', anyStart).catch((error: unknown) => error)
    const forgotten = failure()
    await settle()
    kit.manager.restart()
    expect(await forgotten).toMatchObject({
      code: 'aborted',
      message: 'The store was reset, or another user signed in.',
      runId: 'r',
    })
    const removed = failure()
    await settle()
    kit.manager.remove('r')
    expect(await removed).toMatchObject({ message: 'It is not followed any more.' })
  })

  it('requests nothing more once it has ended', async () => {
    const kit = createKit()
    const started = kit.manager.start('r', anyStart)
    kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 9, 'completed'))
    await started
    expect(kit.status('r')).toBe('closed')
    expect(kit.transport.openChannels).toEqual([])
    await kit.clock.advance(300_000)
    expect(kit.transport.requests).toHaveLength(1)
    expect(kit.left()).toBe(1)
  })

  it('is followed by a request for what may have been missed, whatever was received', async () => {
    const kit = createKit()
    const started = kit.manager.start('r', anyStart)
    kit.manager.observe('r')
    const start = await kit.nextRequest()
    await kit.channelOf('r').receive('a:started', { seq: 9, step_slug: 'a', initial_tasks: 1 })
    await start.reply(snapshot('r', 1))
    await started
    await (await kit.nextRequest()).reply(snapshot('r', 9))
    expect(kit.state.connections.value.r?.seq).toBe(9)
  })
})

describe('a read that fails', () => {
  it('is reported to the app with its run, and to callers that wait for the run', async () => {
    const kit = createKit()
    const { ready } = kit.manager.observe('r')
    expect(kit.reported).toEqual([])
    await (await kit.nextRequest()).fail(down())
    expect(await codeOf(ready)).toBe('unreachable')
    expect(kit.reported.map(({ code, runId }) => [code, runId])).toEqual([['unreachable', 'r']])
  })
})

/** A run of which it is known that it has ended. */
async function ended() {
  const kit = createKit()
  kit.manager.observe('r')
  await (await kit.nextRequest()).reply(snapshot('r', 4, 'completed'))
  expect(kit.status('r')).toBe('closed')
  return { kit, left: kit.left(), opened: kit.transport.channels.length }
}

/** A run that is shown, and that nobody observes. */
async function unobserved() {
  const kit = createKit({ gcTime: 0 })
  const { release } = await kit.goLive('r', 1)
  release()
  await kit.clock.advance(1)
  expect(kit.status('r')).toBe('idle')
  return { kit, opened: kit.transport.channels.length }
}

describe('a run that has ended', () => {
  it('is not requested when the page is visible again', async () => {
    const { kit } = await ended()
    kit.show(false)
    kit.show(true)
    await kit.clock.advance(60_000)
    expect(kit.transport.requests).toHaveLength(1)
  })

  it('stays as it was when a refresh fails', async () => {
    const { kit, left } = await ended()
    const refreshed = codeOf(kit.manager.refresh('r'))
    await (await kit.nextRequest()).fail(down())
    expect(await refreshed).toBe('unreachable')
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', error: null })
    expect(kit.left()).toBe(left)
  })

  it('stays as it was when a refresh succeeds, however long ago it has ended', async () => {
    const { kit, left, opened } = await ended()
    await kit.clock.advance(300_000)
    const refreshed = kit.manager.refresh('r')
    await (await kit.nextRequest()).reply(snapshot('r', 4, 'completed'))
    await refreshed
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', stalled: false })
    expect(kit.left()).toBe(left)
    expect(kit.transport.channels).toHaveLength(opened)
  })
})

describe('a refresh of a run that nobody observes', () => {
  it('opens no channel, and requests it once', async () => {
    const { kit, opened } = await unobserved()
    const refreshed = kit.manager.refresh('r')
    const read = await kit.nextRequest()
    kit.show(false)
    kit.show(true)
    await read.reply(snapshot('r', 2))
    await refreshed
    await kit.clock.advance(60_000)
    expect(kit.state.connections.value.r).toMatchObject({ status: 'idle', seq: 2 })
    expect(kit.transport.channels).toHaveLength(opened)
    expect(kit.transport.requests).toHaveLength(2)
    expect(kit.left()).toBe(0)
  })

  it('reports its failure to its caller only', async () => {
    const { kit } = await unobserved()
    const refreshed = codeOf(kit.manager.refresh('r'))
    await (await kit.nextRequest()).fail(down())
    expect(await refreshed).toBe('unreachable')
    expect(kit.state.connections.value.r).toMatchObject({ status: 'idle', error: null })
  })
})

describe('a read that takes long', () => {
  it('is not joined by polls that were due meanwhile', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.clock.advance(10_000)
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await kit.clock.advance(9_000)
    const before = kit.clock.time
    await read.reply(snapshot('r', 1))
    await kit.nextRequest()
    expect(kit.clock.time - before).toBeGreaterThan(10_000)
  })
})

describe('reads after joins', () => {
  it('wait a tenth of a second for those of other runs', async () => {
    const kit = createKit()
    for (const runId of ['a', 'b']) await kit.goLive(runId, 1)
    await kit.channelOf('a').join()
    await kit.clock.advance(90)
    await kit.channelOf('b').join()
    const before = kit.clock.time
    const read = await kit.nextRequest()
    expect(kit.clock.time - before).toBe(100)
    expect([...read.runIds].sort()).toEqual(['a', 'b'])
  })
})

describe('a snapshot on a server that renders', () => {
  it('leaves no timer behind', async () => {
    const kit = createKit({ isServer: true })
    const { ready } = kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    await ready
    expect(kit.left()).toBe(0)
  })
})
