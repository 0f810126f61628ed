import { describe, expect, it } from 'vitest'
import { codeOf, createKit, down, snapshot } from './support/kit.ts'

const ended = (seq: number) => snapshot('r', seq, 'completed')

describe('a replica that lags', () => {
  it('does not take back an end that was confirmed, however long it lags', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    await kit.channelOf('r').receive('run:completed', { seq: 6, output: {} })
    await (await kit.nextRequest()).reply(ended(10))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', seq: 10 })
    let code = 'waits'
    void codeOf(kit.manager.refresh('r')).then((end) => (code = end))
    const from = kit.clock.time
    while (code === 'waits' && kit.clock.time - from < 100_000) {
      await (await kit.nextRequest()).reply(snapshot('r', 5))
      expect(kit.state.runs.value.r?.status).toBe('completed')
      expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', seq: 10 })
    }
    expect(kit.clock.time - from).toBeGreaterThanOrEqual(30_000)
    expect(code).toBe('none')
  })

  it('does not resolve a refresh: it waits for a snapshot that is not older', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    let isRefreshed = false
    void kit.manager.refresh('r').then(() => (isRefreshed = true))
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    await (await kit.nextRequest()).reply(snapshot('r', 4))
    expect(isRefreshed).toBe(false)
    await (await kit.nextRequest()).reply(snapshot('r', 5))
    expect(isRefreshed).toBe(true)
  })

  it('nor one that shares a request which was waiting for others', async () => {
    const kit = createKit({ isThrottled: true })
    kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    await kit.channelOf('r').join()
    // The read after the join waits for a timer, and what comes meanwhile is older than its answer.
    await kit.channelOf('r').receive('a:started', { seq: 3, step_slug: 'a', initial_tasks: 1 })
    let isRefreshed = false
    void kit.manager.refresh('r').then(() => (isRefreshed = true))
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(isRefreshed).toBe(false)
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    expect(isRefreshed).toBe(true)
  })

  it('is accepted at last: the database is the truth', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    void kit.manager.refresh('r')
    const from = kit.clock.time
    while (kit.state.connections.value.r?.seq === 5 && kit.clock.time - from < 100_000) {
      await (await kit.nextRequest()).reply(snapshot('r', 3))
    }
    expect(kit.state.connections.value.r?.seq).toBe(3)
    expect(kit.clock.time - from).toBeGreaterThanOrEqual(30_000)
    expect(kit.clock.time - from).toBeLessThan(65_000)
  })

  it('is not accepted where it has returned something newer', async () => {
    const kit = createKit()
    await kit.goLive('r', 50)
    void kit.manager.refresh('r')
    const from = kit.clock.time
    await (await kit.nextRequest()).reply(snapshot('r', 40))
    while (kit.clock.time - from < 40_000) {
      await (await kit.nextRequest()).reply(snapshot('r', 30))
      expect(kit.state.connections.value.r?.seq).toBe(50)
    }
    await (await kit.nextRequest()).reply(snapshot('r', 40))
    expect(kit.state.connections.value.r?.seq).toBe(40)
  })

  it('does not take back the end of a run that is observed again', async () => {
    const kit = createKit({ gcTime: 0 })
    const { release } = await kit.goLive('r', 3)
    await kit.channelOf('r').receive('run:completed', { seq: 4, output: {} })
    await (await kit.nextRequest()).reply(ended(4))
    release()
    await kit.clock.advance(1)
    void kit.manager.refresh('r')
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.state.runs.value.r?.status).toBe('completed')
    await (await kit.nextRequest()).reply(ended(4))
    expect(kit.status('r')).toBe('closed')
  })

  it('starts again once a snapshot was not outdated', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    const lag = async (until: number) => {
      void kit.manager.refresh('r')
      while (kit.clock.time < until) await (await kit.nextRequest()).reply(snapshot('r', 3))
    }
    await lag(kit.clock.time + 20_000)
    await (await kit.nextRequest()).reply(snapshot('r', 5))
    await lag(kit.clock.time + 20_000)
    expect(kit.state.connections.value.r?.seq).toBe(5)
  })
})

describe('live', () => {
  it('is not shown below a seq that was received before anything was read', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await kit.channelOf('r').join()
    const channel = kit.channelOf('r')
    await channel.receive('a:completed', { seq: 4, step_slug: 'a', output: 1, remaining_steps: 0 })
    await channel.receive('run:completed', { seq: 5, output: { a: 1 } })
    await (await kit.nextRequest()).fail(down())
    await (await kit.nextRequest()).fail(down())
    for (let read = 0; read < 3; read += 1) {
      await (await kit.nextRequest()).reply(snapshot('r', 2))
      const { status, seq } = kit.state.connections.value.r ?? {}
      expect(status === 'live' && (seq ?? 0) < 5).toBe(false)
    }
    await (await kit.nextRequest()).reply(ended(5))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', seq: 5 })
  })
})

describe('a run that had ended and was repaired by hand', () => {
  it('is followed again when a read shows that it continues', async () => {
    const kit = createKit()
    await kit.goLive('r', 3)
    await kit.channelOf('r').receive('run:failed', { seq: 4, error_message: 'x' })
    await (await kit.nextRequest()).reply(snapshot('r', 4, 'failed'))
    expect(kit.status('r')).toBe('closed')
    const refreshed = kit.manager.refresh('r')
    await (await kit.nextRequest()).reply(snapshot('r', 7))
    await refreshed
    expect(kit.state.runs.value.r?.status).toBe('started')
    expect(kit.status('r')).not.toBe('closed')
    expect(kit.transport.openChannels).toHaveLength(1)
    await kit.channelOf('r').join()
    await (await kit.nextRequest()).reply(snapshot('r', 8))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'live', seq: 8 })
  })

  it('is not ended again by a read that was under way, on a private channel', async () => {
    const kit = createKit({ isPrivate: true })
    kit.manager.observe('r')
    await kit.channelOf('r').join()
    const read = await kit.nextRequest()
    await read.reply(snapshot('r', 2))
    const refreshed = codeOf(kit.manager.refresh('r'))
    const next = await kit.nextRequest()
    await kit.channelOf('r').receive('a:started', { seq: 5, step_slug: 'a', initial_tasks: 1 })
    await next.reply(snapshot('r', 4, 'failed', 'failed'))
    expect(await refreshed).toBe('none')
    expect(kit.state.connections.value.r).toMatchObject({ seq: 5 })
    expect(kit.status('r')).not.toBe('closed')
  })

  it('is not ended again by an outdated snapshot once it is followed again', async () => {
    const kit = createKit({ gcTime: 0 })
    const { release } = await kit.goLive('r', 4)
    release()
    await kit.clock.advance(1)
    kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 3, 'failed'))
    expect(kit.state.runs.value.r?.status).toBe('started')
    expect(kit.state.connections.value.r?.seq).toBe(4)
  })

  it('is not closed when it is read and nobody follows it', async () => {
    const kit = createKit()
    const { release } = await kit.goLive('r', 3)
    await kit.channelOf('r').receive('run:failed', { seq: 4, error_message: 'x' })
    await (await kit.nextRequest()).reply(snapshot('r', 4, 'failed'))
    release()
    await kit.clock.advance(5_000)
    const refreshed = kit.manager.refresh('r')
    await (await kit.nextRequest()).reply(snapshot('r', 7))
    await refreshed
    expect(kit.state.runs.value.r?.status).toBe('started')
    expect(kit.state.connections.value.r).toMatchObject({ status: 'idle', seq: 7, error: null })
  })
})

describe('a refresh', () => {
  it('fails when the run is not there any more, though a broadcast came meanwhile', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    const refreshed = codeOf(kit.manager.refresh('r'))
    const read = await kit.nextRequest()
    await kit.channelOf('r').receive('a:started', { seq: 6, step_slug: 'a', initial_tasks: 1 })
    await read.reply()
    expect(await refreshed).toBe('run_not_found')
  })
})

describe('a snapshot about another run', () => {
  it('is refused, and changes nothing of either', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.goLive('other', 1)
    const refreshed = kit.manager.refresh('r').catch((error: unknown) => error)
    const read = await kit.nextRequest()
    await read.replyAs('r', snapshot('other', 9, 'failed'))
    const message = 'Another run came: other'
    expect(await refreshed).toMatchObject({ code: 'malformed_reply', message, runId: 'r' })
    expect(kit.state.runs.value.r?.status).toBe('started')
    expect(kit.state.runs.value.other?.status).toBe('started')
    expect(kit.state.connections.value.other?.seq).toBe(1)
  })
})

describe('events from before a request that no snapshot contains', () => {
  it('are not shown for ever: for half a minute snapshots may be older', async () => {
    const kit = createKit()
    await kit.goLive('r', 3)
    await kit.channelOf('r').join()
    await kit.channelOf('r').receive('a:completed', { seq: 4, step_slug: 'a', output: 'forged' })
    expect(kit.state.steps.value['r/a']?.output).toBe('forged')
    const isPast = kit.clock.now() + 60_000
    while (kit.clock.now() < isPast && kit.state.connections.value.r?.seq !== 3) {
      await (await kit.nextRequest()).reply(snapshot('r', 3))
    }
    expect(kit.state.steps.value['r/a']?.output).toBe(null)
    expect(kit.status('r')).toBe('live')
  })
})

describe('a snapshot with the end of the run', () => {
  const goesOn = (kit: ReturnType<typeof createKit>, seq: number) =>
    kit.channelOf('r').receive('run:started', { seq, status: 'started', flow_slug: 'f' })

  it('is older than an event that shows the run running, as after a repair: it continues', async () => {
    const kit = createKit()
    await kit.goLive('r', 3)
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await goesOn(kit, 9)
    await read.reply(snapshot('r', 5, 'failed'))
    expect(kit.state.runs.value.r?.status).toBe('started')
    expect(kit.status('r')).toBe('connecting')
    // A replica that lags says it once more.
    await (await kit.nextRequest()).reply(snapshot('r', 5, 'failed'))
    expect(kit.state.runs.value.r?.status).toBe('started')
    await (await kit.nextRequest()).reply(snapshot('r', 9))
    expect(kit.status('r')).toBe('live')
  })

  it('is older than an event of a step, as after a repair: the run continues', async () => {
    const kit = createKit()
    await kit.goLive('r', 3)
    await kit.channelOf('r').receive('a:completed', { seq: 6, step_slug: 'a', output: 'A' })
    await kit.channelOf('r').receive('b:started', { seq: 7, step_slug: 'b', initial_tasks: 1 })
    await (await kit.nextRequest()).reply(snapshot('r', 4, 'failed'))
    expect(kit.state.runs.value.r?.status).toBe('started')
    expect(kit.status('r')).toBe('connecting')
    await (await kit.nextRequest()).reply(snapshot('r', 7))
    expect(kit.status('r')).toBe('live')
  })

  it('ends the run although another event claims to be later', async () => {
    const kit = createKit()
    await kit.goLive('r', 3)
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await kit.channelOf('r').receive('a:started', { seq: 1_000, step_slug: 'a', initial_tasks: 1 })
    await read.reply(ended(5))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', seq: 5 })
  })

  it('ends the run although a forged event showed it running', async () => {
    const kit = createKit()
    await kit.goLive('r', 3)
    await goesOn(kit, 1e9)
    while (kit.state.connections.value.r?.seq !== 4) {
      await (await kit.nextRequest()).reply(snapshot('r', 4))
    }
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await kit.channelOf('r').receive('a:started', { seq: 1_000, step_slug: 'a', initial_tasks: 1 })
    await read.reply(ended(8))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', seq: 8 })
  })

  it('ends the run although an earlier event showed it running', async () => {
    const kit = createKit()
    await kit.goLive('r', 3)
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await goesOn(kit, 4)
    await kit.channelOf('r').receive('a:started', { seq: 1_000, step_slug: 'a', initial_tasks: 1 })
    await read.reply(ended(5))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', seq: 5 })
  })
})
