import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { settle } from '../../support/virtual-clock.ts'
import { anyStart, codeOf, createKit, down, snapshot } from './support/kit.ts'

describe('two starts of one id', () => {
  it('one that is given up leaves the other, and who observes the run, alone', async () => {
    const kit = createKit()
    const giveUp = new AbortController()
    const first = codeOf(kit.manager.start('r', { ...anyStart, signal: giveUp.signal }))
    const second = codeOf(kit.manager.start('r', anyStart))
    kit.manager.observe('r')
    await kit.nextRequest()
    giveUp.abort()
    expect(await first).toBe('aborted')
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(await second).toBe('none')
    expect(kit.transport.openChannels).toHaveLength(1)
    await kit.channelOf('r').join()
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(kit.status('r')).toBe('live')
  })

  it('both resolve when both are responded to', async () => {
    const kit = createKit()
    const both = [kit.manager.start('r', anyStart), kit.manager.start('r', anyStart)]
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    await Promise.all(both)
    expect(kit.state.connections.value.r?.seq).toBe(2)
  })

  it('one that the database refuses leaves the run of the other', async () => {
    const kit = createKit()
    const first = kit.manager.start('r', anyStart)
    const second = codeOf(kit.manager.start('r', { flowSlug: 'other', input: {} }))
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    await first
    const conflict = new PgflowError('run_conflict', 'The id belongs to another start.')
    await (await kit.nextRequest()).fail(conflict)
    expect(await second).toBe('run_conflict')
    expect(kit.state.runs.value.r?.status).toBe('started')
    expect(kit.transport.openChannels).toHaveLength(1)
  })
})

describe('the timeout and the signal of a start', () => {
  it('hold while it waits for an earlier request', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await kit.nextRequest()
    const giveUp = new AbortController()
    const aborted = codeOf(kit.manager.start('r', { ...anyStart, signal: giveUp.signal }))
    const late = codeOf(kit.manager.start('r', { ...anyStart, timeout: 200 }))
    giveUp.abort()
    expect(await aborted).toBe('aborted')
    await kit.clock.advance(200)
    expect(await late).toBe('timeout')
  })

  it('hold while it waits to try again', async () => {
    const kit = createKit()
    const giveUp = new AbortController()
    const start = codeOf(kit.manager.start('r', { ...anyStart, signal: giveUp.signal }))
    await (await kit.nextRequest()).fail(down())
    giveUp.abort()
    expect(await start).toBe('aborted')
    await kit.clock.advance(60_000)
    expect(kit.transport.requests).toHaveLength(1)
    expect(kit.left()).toBe(0)
  })

  it('that has fired before the call sends nothing and leaves nothing', async () => {
    const kit = createKit()
    const signal = AbortSignal.abort()
    expect(await codeOf(kit.manager.start('r', { ...anyStart, signal }))).toBe('aborted')
    await kit.clock.advance(60_000)
    expect(kit.transport.requests).toEqual([])
    expect(kit.state.runs.value).toEqual({})
    expect(kit.left()).toBe(0)
  })
})

describe('a start without a snapshot', () => {
  it('contains anybody who observes the run, and keeps requesting it', async () => {
    const kit = createKit()
    const start = codeOf(kit.manager.start('r', anyStart))
    kit.manager.observe('r')
    await kit.clock.advance(10_000)
    expect(await start).toBe('timeout')
    expect(kit.state.connections.value.r).toMatchObject({
      status: 'offline',
      error: { code: 'timeout' },
    })
    // The server may have started it all the same.
    await kit.nextRequest()
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(kit.state.runs.value.r?.status).toBe('started')
    expect(kit.state.connections.value.r?.error).toBeNull()
  })

  it('fails by the name of what kept it from one', async () => {
    const kit = createKit()
    const start = kit.manager.start('r', anyStart).catch((error: unknown) => error)
    const cause = new PgflowError('unreachable', 'The server is down.', { hint: 'Start it.' })
    await (await kit.nextRequest()).fail(cause)
    await kit.clock.advance(10_000)
    expect(await start).toMatchObject({
      code: 'unreachable',
      message: 'The server is down. It was tried for 10000 ms.',
      hint: 'Start it.',
      runId: 'r',
      cause,
    })
  })

  it('is sent again more and more rarely', async () => {
    const kit = createKit()
    const start = codeOf(kit.manager.start('r', anyStart))
    await (await kit.nextRequest()).fail(down())
    for (const wait of [500, 1_000, 2_000, 5_000]) {
      const before = kit.clock.time
      const request = await kit.nextRequest()
      expect(kit.clock.time - before).toBe(wait)
      await request.fail(down())
    }
    await kit.clock.advance(10_000)
    expect(await start).toBe('unreachable')
  })

  it('that is refused leaves nothing of the run to anybody who observes it', async () => {
    const kit = createKit()
    const start = codeOf(kit.manager.start('r', anyStart))
    kit.manager.observe('r')
    await (await kit.nextRequest()).fail(new PgflowError('flow_not_found', 'No such flow.'))
    expect(await start).toBe('flow_not_found')
    expect(kit.state.runs.value).toEqual({})
    expect(kit.state.connections.value.r).toMatchObject({
      status: 'closed',
      error: { code: 'flow_not_found' },
    })
  })

  it('is no failure when a broadcast reports that the run has started', async () => {
    const kit = createKit()
    const start = codeOf(kit.manager.start('r', anyStart))
    await kit.nextRequest()
    await kit.channelOf('r').join()
    await kit.channelOf('r').receive('run:started', { seq: 1 })
    await kit.clock.advance(10_000)
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(await start).toBe('none')
    expect(kit.status('r')).toBe('live')
  })

  it('that nobody observes leaves nothing', async () => {
    const kit = createKit()
    const start = codeOf(kit.manager.start('r', anyStart))
    await kit.clock.advance(10_000)
    expect(await start).toBe('timeout')
    expect(kit.state.runs.value).toEqual({})
    expect(kit.state.connections.value).toEqual({})
    expect(kit.transport.openChannels).toEqual([])
    expect(kit.left()).toBe(0)
  })

  it('does not let a refresh of the run report that all is well', async () => {
    const kit = createKit()
    const giveUp = new AbortController()
    const start = codeOf(kit.manager.start('r', { ...anyStart, signal: giveUp.signal }))
    await kit.nextRequest()
    const refreshed = codeOf(kit.manager.refresh('r'))
    giveUp.abort()
    expect(await start).toBe('aborted')
    await (await kit.nextRequest()).reply()
    expect(await refreshed).toBe('run_not_found')
    await settle()
    expect(kit.state.runs.value).toEqual({})
  })
})

describe('a start of an id that is observed already', () => {
  it('is sent, however often the observers ask for the run meanwhile', async () => {
    const kit = createKit()
    const { ready } = kit.manager.observe('r')
    const read = await kit.nextRequest()
    const started = kit.manager.start('r', anyStart)
    const refreshed = kit.manager.refresh('r')
    await read.reply()
    const kinds: string[] = []
    for (let asked = 0; asked < 4 && !kinds.includes('start'); asked += 1) {
      const request = await kit.nextRequest()
      kinds.push(request.kind)
      await (request.kind === 'start' ? request.reply(snapshot('r', 1)) : request.reply())
    }
    expect(kinds).toContain('start')
    await Promise.all([started, ready])
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    await refreshed
  })
})
