import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { settle } from '../../simulation/clock.ts'
import { anyStart, codeOf, createKit, down, snapshot } from './support/kit.ts'

describe('a second observer', () => {
  it('of a run that is live asks nothing', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const { ready } = kit.manager.observe('r')
    await ready
    await kit.clock.advance(1_000)
    expect(kit.transport.requests).toHaveLength(1)
    expect(kit.status('r')).toBe('live')
  })
})

describe('a refresh', () => {
  it('that is answered by what is older asks again, each time a little later', async () => {
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
  it('of a run that is known to have ended opens no channel, and changes nothing', async () => {
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

  it('that is refused is told to its caller, and to nobody else', async () => {
    const kit = createKit()
    const started = codeOf(kit.manager.start('r', anyStart))
    await (await kit.nextRequest()).fail(new PgflowError('flow_not_found', 'No such flow.'))
    expect(await started).toBe('flow_not_found')
    expect(kit.reported).toEqual([])
  })

  it('that ends with the store says why', async () => {
    const kit = createKit()
    const failure = () => kit.manager.start('r', anyStart).catch((error: unknown) => error)
    const forgotten = failure()
    await settle()
    kit.manager.restart()
    expect(await forgotten).toMatchObject({
      code: 'aborted',
      message: 'The store was reset, or somebody else has signed in.',
      runId: 'r',
    })
    const removed = failure()
    await settle()
    kit.manager.remove('r')
    expect(await removed).toMatchObject({ message: 'It is not followed any more.' })
  })

  it('asks for nothing more once what it returns has ended', async () => {
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

  it('is followed by a read of what may have been missed, whatever was heard', async () => {
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
  it('is told to the app by the name of its run, and to whoever waits for the run', async () => {
    const kit = createKit()
    const { ready } = kit.manager.observe('r')
    expect(kit.reported).toEqual([])
    await (await kit.nextRequest()).fail(down())
    expect(await codeOf(ready)).toBe('unreachable')
    expect(kit.reported.map(({ code, runId }) => [code, runId])).toEqual([['unreachable', 'r']])
  })
})
