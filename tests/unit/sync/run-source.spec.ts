import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import type { RunSnapshot } from '../../../src/model/entities.ts'
import { createKit, snapshot } from './support/kit.ts'

const plain = (status?: string): RunSnapshot => ({ ...snapshot('r', 0, status), seq: null })

describe('a run that is observed again', () => {
  it('and whose end is held is not requested', async () => {
    const kit = createKit({ gcTime: 0 })
    const { release } = await kit.goLive('r', 1)
    await kit.channelOf('r').receive('run:completed', { seq: 2, output: {} })
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'completed'))
    release()
    await kit.clock.advance(1)
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', error: null })
    const asked = kit.transport.requests.length
    kit.manager.observe('r')
    kit.show(true)
    await kit.clock.advance(60_000)
    expect(kit.transport.requests).toHaveLength(asked)
    expect(kit.status('r')).toBe('closed')
  })

  it('and has not ended is requested', async () => {
    const kit = createKit({ gcTime: 0 })
    const { release } = await kit.goLive('r', 1)
    release()
    await kit.clock.advance(1)
    expect(kit.status('r')).toBe('idle')
    kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'completed'))
    expect(kit.status('r')).toBe('closed')
  })

  it('and has ended by a broadcast that was never confirmed is requested', async () => {
    const kit = createKit({ gcTime: 0 })
    const { release } = await kit.goLive('r', 1)
    await kit.channelOf('r').receive('run:completed', { seq: 2, output: 'forged' })
    while (kit.status('r') !== 'closed') {
      await (await kit.nextRequest()).fail(new PgflowError('not_granted', 'No.'))
    }
    release()
    await kit.clock.advance(1)
    kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'completed'))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', error: null })
  })

  it('reports the next broadcast at once', async () => {
    const kit = createKit({ gcTime: 0 })
    const { release } = await kit.goLive('r', 1)
    release()
    await kit.clock.advance(1)
    kit.manager.observe('r')
    await kit.channelOf('r').join()
    kit.told.length = 0
    await kit.channelOf('r').receive('a:started', { seq: 2, step_slug: 'a', initial_tasks: 1 })
    expect(kit.told).toEqual(['a created → started'])
  })

  it('and has ended stays closed when nobody observes it and it is refreshed', async () => {
    const kit = createKit({ gcTime: 0 })
    const { release } = kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'completed'))
    release()
    await kit.clock.advance(1)
    const refreshed = kit.manager.refresh('r')
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'completed'))
    await refreshed
    expect(kit.status('r')).toBe('closed')
  })

  it('after a refusal is requested, and what can be read has no error', async () => {
    const kit = createKit({ gcTime: 0 })
    const { release } = await kit.goLive('r', 1)
    kit.manager.refresh('r').catch(() => undefined)
    const end = kit.clock.time + 60_000
    while (kit.clock.time < end && kit.status('r') !== 'closed') {
      await (await kit.nextRequest()).fail(new PgflowError('not_granted', 'No.'))
    }
    release()
    await kit.clock.advance(1)
    expect(kit.state.connections.value.r).toMatchObject({
      status: 'closed',
      error: { code: 'not_granted' },
    })
    kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.state.connections.value.r?.error).toBeNull()
  })
})

describe('a run without a seq', () => {
  it('that continues by a late broadcast is read once more before it counts as ended', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await kit.channelOf('r').join()
    await (await kit.nextRequest()).reply(plain())
    await kit.channelOf('r').receive('run:completed', { output: 1 })
    const read = await kit.nextRequest()
    const started = { flow_slug: 'f', status: 'started', remaining_steps: 1 }
    await kit.channelOf('r').receive('run:started', started)
    await read.reply(plain('completed'))
    expect(kit.status('r')).not.toBe('closed')
    await (await kit.nextRequest()).reply(plain('completed'))
    expect(kit.status('r')).toBe('closed')
  })
})

describe('a seq that was forged', () => {
  it('does not outlast the snapshots of half a minute, though others follow', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    const forge = (seq: number) =>
      kit.channelOf('r').receive('a:started', { seq, step_slug: 'a', initial_tasks: 1 })
    await forge(1_000)
    const end = kit.clock.time + 70_000
    for (let seq = 1_001; kit.clock.time < end; seq += 1) {
      const read = await kit.nextRequest()
      await forge(seq)
      await read.reply(snapshot('r', 6))
      if (kit.state.connections.value.r?.seq === 6) break
    }
    expect(kit.state.connections.value.r?.seq).toBe(6)
  })

  it('does not outlast it either when the next broadcast is genuine', async () => {
    const kit = createKit()
    await kit.goLive('r', 5)
    const hear = (seq: number) =>
      kit.channelOf('r').receive('a:started', { seq, step_slug: 'a', initial_tasks: 1 })
    await hear(1_000)
    const end = kit.clock.time + 70_000
    while (kit.clock.time < end && kit.state.connections.value.r?.seq !== 7) {
      const read = await kit.nextRequest()
      await hear(7)
      await read.reply(snapshot('r', 6))
    }
    expect(kit.clock.time).toBeLessThan(end)
  })
})

describe('the snapshots of half a minute', () => {
  it('is taken together with what was received that follows it', async () => {
    const kit = createKit()
    await kit.goLive('r', 50)
    const hear = (seq: number) =>
      kit.channelOf('r').receive('a:started', { seq, step_slug: 'a', initial_tasks: 1 })
    await hear(1_000)
    const from = kit.clock.time
    let hasHeard = false
    while (kit.state.connections.value.r?.seq === 1_000) {
      const read = await kit.nextRequest()
      if (!hasHeard && kit.clock.time - from >= 30_000) {
        await hear(61)
        hasHeard = true
      }
      await read.reply(snapshot('r', 60))
    }
    expect(kit.state.connections.value.r?.seq).toBe(61)
  })
})

describe('many broadcasts while a read is on its way', () => {
  it.each([
    [1_000, 'live'],
    [1_001, 'connecting'],
  ])('%i of them: the last thousand are kept, and the run is %s', async (count, status) => {
    const kit = createKit()
    await kit.goLive('r', 1)
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    for (let n = 1; n <= count; n += 1) {
      await kit.channelOf('r').receive('a:progress', { seq: 1 + n, step_slug: 'a' })
    }
    await read.reply(snapshot('r', 1))
    expect(kit.state.connections.value.r).toMatchObject({ status, seq: 1 + count })
  })
})

describe('a read that waits for others', () => {
  it('is sent at once for a caller', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const asked = kit.transport.requests.length
    await kit.channelOf('r').join()
    expect(kit.transport.requests).toHaveLength(asked)
    void kit.manager.refresh('r')
    await kit.clock.advance(0)
    expect(kit.transport.requests).toHaveLength(asked + 1)
  })

  it('is not sent sooner because a channel was joined meanwhile', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const asked = kit.transport.requests.length
    await kit.channelOf('r').join()
    await kit.channelOf('r').join()
    await kit.clock.advance(50)
    expect(kit.transport.requests).toHaveLength(asked)
  })

  it('and is waited for by a caller is reported to nobody else when it fails', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').join()
    const refreshed = kit.manager.refresh('r').then(
      () => 'none',
      (error: unknown) => (error instanceof PgflowError ? error.code : ''),
    )
    await (await kit.nextRequest()).fail(new PgflowError('unreachable', 'No network.'))
    expect(await refreshed).toBe('unreachable')
    expect(kit.reported).toEqual([])
  })
})

describe('somebody else who signs in', () => {
  it.each([
    [true, 'started'],
    [false, undefined],
  ])('sees runs that anybody may (%s)', async (isPublic, status) => {
    const kit = createKit({ isPrivate: !isPublic })
    await kit.goLive('r', 1)
    await kit.transport.changeSession('user')
    expect(kit.state.runs.value.r?.status).toBe(status)
  })

  it('sees nothing of private runs that nobody observes any more', async () => {
    const kit = createKit({ isPrivate: true, gcTime: 0 })
    const { release } = await kit.goLive('r', 1)
    await kit.goLive('other', 1)
    release()
    await kit.clock.advance(1)
    expect(kit.state.runs.value.r?.status).toBe('started')
    await kit.transport.changeSession('user')
    expect(kit.state.runs.value).toEqual({})
  })

  it('with the same user’s new token sees what was shown', async () => {
    const kit = createKit({ isPrivate: true })
    await kit.goLive('r', 1)
    await kit.transport.changeSession('token')
    expect(kit.state.runs.value.r?.status).toBe('started')
  })
})

describe('the channels of runs', () => {
  it.each([
    [false, 2, 2],
    [true, 2, 1],
    [true, 1, 1],
    [true, 3, 2],
  ])('private: %s, of %i: %i', (isPrivate, maxChannels, most) => {
    const kit = createKit({ isPrivate, maxChannels })
    for (const runId of ['a', 'b', 'c', 'd']) kit.manager.observe(runId)
    expect(kit.transport.openChannels).toHaveLength(most)
  })

  it('are none on a server, where nothing is watched', () => {
    const kit = createKit({ isServer: true })
    kit.manager.observe('a')
    expect(kit.transport.channels).toEqual([])
    expect(kit.isWatched()).toBe(false)
  })

  it('that nobody hands out: the run is polled, and reported to be', async () => {
    const kit = createKit({ maxChannels: 0 })
    kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(kit.status('r')).toBe('polling')
  })
})
