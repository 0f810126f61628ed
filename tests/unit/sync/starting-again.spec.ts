import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { anyStart, codeOf, createKit, down, snapshot } from './support/kit.ts'

describe('starting a run again that is held', () => {
  it('and being refused leaves it followed: silence is still not trusted [C10]', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const again = codeOf(kit.manager.start('r', { flowSlug: 'other', input: {} }))
    await (await kit.nextRequest()).fail(new PgflowError('run_conflict', 'Another start.'))
    expect(await again).toBe('run_conflict')
    expect(kit.status('r')).toBe('live')
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.state.connections.value.r?.seq).toBe(2)
  })

  it('and giving up leaves it closed when it has ended', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await kit.channelOf('r').join()
    await (await kit.nextRequest()).reply(snapshot('r', 5, 'completed'))
    expect(kit.status('r')).toBe('closed')
    const giveUp = new AbortController()
    const again = codeOf(kit.manager.start('r', { ...anyStart, signal: giveUp.signal }))
    await kit.nextRequest()
    giveUp.abort()
    expect(await again).toBe('aborted')
    expect(kit.status('r')).toBe('closed')
    expect(kit.transport.openChannels).toEqual([])
    expect(kit.left()).toBe(1)
  })
})

describe('the response to a start', () => {
  it('is taken although a forged broadcast claims to be later', async () => {
    const kit = createKit()
    const first = codeOf(kit.manager.start('r', { ...anyStart, timeout: 1_000 }))
    await kit.nextRequest()
    const again = codeOf(kit.manager.start('r', anyStart))
    await kit.channelOf('r').join()
    await kit.channelOf('r').receive('a:started', { seq: 1e15, step_slug: 'a' })
    await kit.clock.advance(1_000)
    expect(await first).toBe('timeout')
    await (await kit.nextRequest()).fail(down())
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(await again).toBe('none')
    expect(kit.state.runs.value.r?.status).toBe('started')
    expect(kit.state.connections.value.r?.seq).toBe(2)
  })

  it('does not hide that broadcasts are missing between it and what came meanwhile', async () => {
    const kit = createKit()
    const start = codeOf(kit.manager.start('r', anyStart))
    const request = await kit.nextRequest()
    await kit.channelOf('r').join()
    await kit.channelOf('r').receive('a:started', { seq: 5, step_slug: 'a' })
    await request.reply(snapshot('r', 1))
    expect(await start).toBe('none')
    expect(kit.state.connections.value.r).toMatchObject({ status: 'connecting', seq: 5 })
    await (await kit.nextRequest()).reply(snapshot('r', 5))
    expect(kit.status('r')).toBe('live')
  })

  it('is taken although an outdated snapshot was dropped before', async () => {
    const kit = createKit()
    await kit.goLive('r', 10)
    await kit.channelOf('r').receive('run:completed', { seq: 11, output: 'old' })
    await (await kit.nextRequest()).reply(snapshot('r', 9))
    const start = codeOf(kit.manager.start('r', anyStart))
    const request = await kit.nextRequest()
    expect(request.kind).toBe('start')
    await request.reply(snapshot('r', 1))
    expect(await start).toBe('none')
    expect(kit.state.runs.value.r?.status).toBe('started')
  })
})

describe('that this caller has started the run', () => {
  it('is reported of a snapshot, and not of a run that was there when no snapshot came', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    let started = 0
    const again = () =>
      codeOf(
        kit.manager.start('r', { ...anyStart, timeout: 1_000, onStarted: () => (started += 1) }),
      )
    const unanswered = again()
    await kit.nextRequest()
    await kit.clock.advance(1_000)
    expect(await unanswered).toBe('none')
    expect(started).toBe(0)
    const answered = again()
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(await answered).toBe('none')
    expect(started).toBe(1)
  })

  it('is reported of one that was first received while it was started', async () => {
    const kit = createKit()
    let started = 0
    const onStarted = () => (started += 1)
    const start = codeOf(kit.manager.start('r', { ...anyStart, timeout: 1_000, onStarted }))
    const request = await kit.nextRequest()
    await kit.channelOf('r').join()
    await kit.channelOf('r').receive('run:started', { seq: 1, status: 'started' })
    await request.fail(new PgflowError('unreachable', 'The reply is lost.'))
    await kit.clock.advance(1_000)
    expect(await start).toBe('none')
    expect(started).toBe(1)
  })
})

describe('starting a run again that has ended, and that nobody follows any more', () => {
  it('leaves it closed when the start fails, also where nobody sees the page', async () => {
    const kit = createKit({ gcTime: 0 })
    const { release } = kit.manager.observe('r')
    await kit.channelOf('r').join()
    await (await kit.nextRequest()).reply(snapshot('r', 5, 'completed'))
    release()
    await kit.clock.advance(1)
    kit.show(false)
    const again = codeOf(kit.manager.start('r', anyStart))
    await (await kit.nextRequest()).fail(new PgflowError('flow_not_found', 'No.'))
    expect(await again).toBe('flow_not_found')
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', error: null })
  })
})

describe('refreshing a run while it is being started', () => {
  it('does not resolve before a snapshot of it is in the store', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    const start = codeOf(kit.manager.start('r', anyStart))
    let isFresh = false
    const refreshed = kit.manager.refresh('r').then(() => (isFresh = true))
    // Asked before the start reached the database.
    await (await kit.nextRequest()).reply()
    expect(kit.state.runs.value.r?.status).toBe('pending')
    expect(isFresh).toBe(false)
    for (let n = 0; n < 2; n += 1) await (await kit.nextRequest()).reply(snapshot('r', 1))
    await refreshed
    expect(kit.state.runs.value.r?.status).toBe('started')
    expect(await start).toBe('none')
  })
})

describe('a refresh that fails', () => {
  it('names the run it is about', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const refreshed = kit.manager.refresh('r').catch((error: unknown) => error)
    await (await kit.nextRequest()).fail(new PgflowError('unreachable', 'The server is down.'))
    expect(await refreshed).toMatchObject({ code: 'unreachable', runId: 'r' })
  })
})

describe.each([{ isPrivate: false }, { isPrivate: true }])(
  'starting a run again that has ended and was deleted (%o)',
  (options) => {
    it('shows it as it was started', async () => {
      const kit = createKit(options)
      kit.manager.observe('r')
      await kit.channelOf('r').join()
      await (await kit.nextRequest()).reply(snapshot('r', 10, 'completed'))
      expect(kit.status('r')).toBe('closed')
      const start = codeOf(kit.manager.start('r', anyStart))
      await (await kit.nextRequest()).reply(snapshot('r', 1, 'started'))
      expect(await start).toBe('none')
      expect(kit.state.runs.value.r?.status).toBe('started')
      expect(kit.status('r')).not.toBe('closed')
    })
  },
)
