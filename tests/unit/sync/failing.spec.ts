import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { codeOf, createKit, down, snapshot } from './support/kit.ts'

describe('after a read that failed', () => {
  it('the run is requested again, also when a refresh failed in between', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await (await kit.nextRequest()).fail(down())
    const refreshed = codeOf(kit.manager.refresh('r'))
    await (await kit.nextRequest()).fail(down())
    expect(await refreshed).toBe('unreachable')
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(kit.state.runs.value.r?.status).toBe('started')
  })

  it('the run is requested again, also when another observer came in between', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await kit.channelOf('r').join()
    await (await kit.nextRequest()).fail(down())
    const { ready } = kit.manager.observe('r')
    await (await kit.nextRequest()).fail(down())
    expect(await codeOf(ready)).toBe('unreachable')
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(kit.status('r')).toBe('live')
  })

  it('the app is notified once of each, however many others fail', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    for (let n = 0; n < 5; n += 1) await kit.channelOf('r').receive('a:started', { seq: 'x' })
    await (await kit.nextRequest()).fail(down())
    await (await kit.nextRequest()).fail(down())
    expect(kit.reported.filter(({ code }) => code === 'unreachable')).toHaveLength(2)
    expect(kit.reported.filter(({ code }) => code === 'malformed_message')).toHaveLength(5)
  })

  it('a private run that has ended meanwhile is closed, also in a hidden page', async () => {
    const kit = createKit({ isPrivate: true })
    await kit.goLive('r', 1)
    const refreshed = codeOf(kit.manager.refresh('r'))
    const request = await kit.nextRequest()
    kit.show(false)
    await kit.channelOf('r').receive('run:completed', { seq: 2, status: 'completed' })
    await request.fail(down())
    expect(await refreshed).toBe('unreachable')
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', error: null })
  })

  it('the error is shown, and gone once the run is', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await (await kit.nextRequest()).fail(down())
    expect(kit.state.connections.value.r).toMatchObject({
      status: 'offline',
      error: { code: 'unreachable' },
    })
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(kit.state.connections.value.r?.error).toBeNull()
  })

  it('that ended the following, a refresh that succeeds takes it up again', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await (await kit.nextRequest()).fail(new PgflowError('run_not_found', 'Nobody is signed in.'))
    expect(kit.status('r')).toBe('closed')
    const refreshed = kit.manager.refresh('r')
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    await refreshed
    await kit.channelOf('r').join()
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'live', error: null })
    await kit.channelOf('r').receive('run:completed', { seq: 2, status: 'completed', output: {} })
    expect(kit.state.runs.value.r?.status).toBe('completed')
  })

  it('of a caller, nobody else is notified', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const refreshed = codeOf(kit.manager.refresh('r'))
    await (await kit.nextRequest()).fail(down())
    expect(await refreshed).toBe('unreachable')
    expect(kit.reported).toEqual([])
  })
})

describe('a run that is not there', () => {
  it('can be observed again once it is', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await (await kit.nextRequest()).reply()
    expect(kit.state.connections.value.r).toMatchObject({
      status: 'closed',
      error: { code: 'run_not_found' },
    })
    kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(kit.state.runs.value.r?.status).toBe('started')
    expect(kit.state.connections.value.r?.error).toBeNull()
  })

  it('any more is not live any more', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const refreshed = codeOf(kit.manager.refresh('r'))
    await (await kit.nextRequest()).reply()
    expect(await refreshed).toBe('run_not_found')
    expect(kit.state.connections.value.r?.error?.code).toBe('run_not_found')
    const refused = kit.clock.time + 30_000
    // What was readable may be so again: it is believed when it has stood for a while.
    while (kit.clock.time < refused) {
      expect(kit.transport.openChannels).toHaveLength(1)
      await (await kit.nextRequest()).reply()
    }
    expect(kit.status('r')).toBe('closed')
    expect(kit.state.runs.value.r?.status).toBe('started')
    expect(kit.transport.openChannels).toEqual([])
  })

  it('does not close the other runs that were read with it', async () => {
    const kit = createKit()
    kit.manager.observe('good')
    kit.manager.observe('gone')
    kit.manager.observe('bad')
    const bad = new PgflowError('malformed_reply', 'Not a run.', { runId: 'bad' })
    await (await kit.nextRequest()).reply(snapshot('good', 1), bad)
    expect(kit.state.runs.value.good?.status).toBe('started')
    expect(kit.state.connections.value.good?.error).toBeNull()
    expect(kit.state.connections.value.gone?.error?.code).toBe('run_not_found')
    expect(kit.state.connections.value.bad?.error?.code).toBe('malformed_reply')
  })
})

describe('a channel that is lost or refused', () => {
  it('is reported to the app', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').goDown(new PgflowError('channel_refused', 'Only private channels.'))
    expect(kit.reported.map(({ code }) => code)).toEqual(['channel_refused'])
    expect(kit.state.connections.value.r).toMatchObject({
      status: 'offline',
      error: { code: 'channel_refused' },
    })
  })

  it('is polled for, and never called live [F21]', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').goDown()
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.status('r')).toBe('polling')
    await kit.channelOf('r').join()
    expect(kit.status('r')).toBe('connecting')
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.status('r')).toBe('live')
  })

  it('again and again does not put off the next read, nor hide that reads succeed', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').goDown()
    const before = kit.clock.time
    await kit.clock.advance(1_500)
    await kit.channelOf('r').goDown()
    const read = await kit.nextRequest()
    expect(kit.clock.time - before).toBe(2_000 + 250)
    await read.reply(snapshot('r', 1))
    await kit.channelOf('r').goDown()
    expect(kit.status('r')).toBe('polling')
  })

  it('while the browser reports that it is offline is rarely requested', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.connect(false)
    void kit.manager.refresh('r')
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    // The browser was wrong, until the channel is lost, too.
    expect(kit.status('r')).toBe('live')
    await kit.channelOf('r').goDown()
    const before = kit.clock.time
    await kit.nextRequest()
    expect(kit.clock.time - before).toBeGreaterThan(20_000)
  })
})
