import { describe, expect, it } from 'vitest'
import { watch } from 'vue'
import { settle } from '../../support/virtual-clock.ts'
import { anyStart, codeOf, createKit, down, snapshot } from './support/kit.ts'

/** A run that was let go of while a read of it was on its way, and that is observed again. */
async function observeAgain() {
  const kit = createKit({ gcTime: 0 })
  const { release } = await kit.goLive('r', 1)
  await kit.channelOf('r').join()
  const slow = await kit.nextRequest()
  release()
  await kit.clock.advance(1)
  expect(kit.transport.openChannels).toEqual([])
  const again = kit.manager.observe('r')
  await kit.channelOf('r').join()
  return { ...kit, slow, again }
}

describe('a snapshot that comes after the run was released and observed again', () => {
  it('does not take back what was shown since [F13]', async () => {
    const kit = await observeAgain()
    await (await kit.nextRequest()).reply(snapshot('r', 9, 'completed'))
    expect(kit.state.runs.value.r?.status).toBe('completed')
    await kit.slow.reply(snapshot('r', 4))
    expect(kit.state.runs.value.r?.status).toBe('completed')
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', seq: 9 })
  })

  it('does not make a live run look idle', async () => {
    const kit = await observeAgain()
    await (await kit.nextRequest()).reply(snapshot('r', 4))
    expect(kit.status('r')).toBe('live')
    await kit.slow.reply(snapshot('r', 4))
    expect(kit.status('r')).toBe('live')
  })

  it('does not end the following of a run when it is a failure', async () => {
    const kit = await observeAgain()
    await (await kit.nextRequest()).reply(snapshot('r', 4))
    await kit.slow.reply()
    expect(kit.status('r')).toBe('live')
    expect(kit.state.runs.value.r?.status).toBe('started')
    expect(kit.transport.openChannels).toHaveLength(1)
  })
})

describe('a run that nobody observes any more', () => {
  it('keeps its channel for those who come a little later [F25]', async () => {
    const kit = createKit({ gcTime: 5_000 })
    const { release } = await kit.goLive('r', 1)
    release()
    await kit.clock.advance(4_000)
    const again = kit.manager.observe('r')
    await kit.clock.advance(4_000)
    expect(kit.transport.channels).toHaveLength(1)
    expect(kit.status('r')).toBe('live')
    again.release()
    await kit.clock.advance(5_000)
    expect(kit.transport.openChannels).toEqual([])
    expect(kit.status('r')).toBe('idle')
  })

  it('leaves no timer when it is released in the moment in which it is refused', async () => {
    const kit = createKit({ gcTime: 0 })
    await kit.goLive('other', 1)
    const before = kit.left()
    const { release, ready } = kit.manager.observe('r')
    void ready.catch(() => undefined)
    const stop = watch(
      () => kit.status('r'),
      (status) => {
        if (status === 'closed') release()
      },
      { flush: 'sync' },
    )
    await (await kit.nextRequest()).reply()
    stop()
    expect(kit.left()).toBe(before)
  })

  it('is not shown to be connecting when nothing was ever shown of it', async () => {
    const kit = createKit({ gcTime: 0 })
    kit.manager.observe('r').release()
    await kit.clock.advance(1)
    expect(kit.status('r') ?? 'idle').toBe('idle')
    // The read that is under way is never answered, and given up in time.
    await kit.clock.advance(10_000)
    expect(kit.left()).toBe(0)
  })

  it('releases once, however often one observer calls it [F24]', async () => {
    const kit = createKit({ gcTime: 0 })
    const one = await kit.goLive('r', 1)
    kit.manager.observe('r')
    one.release()
    one.release()
    await kit.clock.advance(1)
    expect(kit.status('r')).toBe('live')
    expect(kit.transport.openChannels).toHaveLength(1)
  })
})

describe('removing a run', () => {
  it('does not let an old start drop the run that was started again', async () => {
    const kit = createKit()
    const old = codeOf(kit.manager.start('r', anyStart))
    const first = await kit.nextRequest()
    kit.manager.remove('r')
    const anew = kit.manager.start('r', anyStart)
    const second = await kit.nextRequest()
    await first.reply(snapshot('r', 1))
    expect(await old).toBe('aborted')
    expect(kit.state.runs.value.r?.status).toBe('pending')
    await second.reply(snapshot('r', 1))
    await anew
    expect(kit.state.runs.value.r?.status).toBe('started')
  })

  it('leaves nothing, whatever is under way, and nothing brings the run back', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').join()
    const read = await kit.nextRequest()
    kit.manager.remove('r')
    await read.reply(snapshot('r', 2))
    await kit.channelOf('r').receive('a:started', { step_slug: 'a', seq: 3 })
    await kit.clock.advance(60_000)
    expect(kit.state.runs.value).toEqual({})
    expect(kit.state.steps.value).toEqual({})
    expect(kit.state.connections.value).toEqual({})
    expect(kit.left()).toBe(0)
  })
})

describe('an observer that lets go', () => {
  it('when everything has stopped sets no timer', async () => {
    const kit = createKit()
    const { release } = await kit.goLive('r', 1)
    kit.manager.dispose()
    release()
    expect(kit.left()).toBe(0)
  })

  it('of one run of several leaves the page watched for the others', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.goLive('s', 1)
    kit.manager.remove('r')
    expect(kit.isWatched()).toBe(true)
    kit.manager.remove('s')
    expect(kit.isWatched()).toBe(false)
  })
})

describe('a run that is removed in the middle of what happens to it', () => {
  it('by a listener for a malformed broadcast leaves nothing', async () => {
    const kit = createKit({ onReport: () => kit.manager.remove('r') })
    await kit.goLive('r', 1)
    await kit.channelOf('r').receive('a:completed', { seq: 'x' })
    expect(kit.state.connections.value).toEqual({})
    expect(kit.left()).toBe(0)
  })

  it.each([
    ['a message that cannot be understood', 'x'],
    ['a gap', 9],
  ])('by a watcher of the connection leaves nothing (%s)', async (_, seq) => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const stop = watch(
      () => kit.status('r'),
      () => kit.manager.remove('r'),
      { flush: 'sync' },
    )
    await kit.channelOf('r').receive('a:completed', { seq, step_slug: 'a' })
    stop()
    // The read that was gathered with those of other runs.
    await kit.clock.advance(0)
    expect(kit.state.connections.value).toEqual({})
    expect(kit.left()).toBe(0)
  })

  it('by a watcher of a stalled run that continues leaves nothing', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const isStalled = () => kit.state.connections.value.r?.stalled
    while (!isStalled()) await (await kit.nextRequest()).reply(snapshot('r', 1))
    const stop = watch(isStalled, () => kit.manager.remove('r'), { flush: 'sync' })
    await kit.channelOf('r').receive('a:completed', { seq: 9, step_slug: 'a' })
    stop()
    // The read that was gathered with those of other runs.
    await kit.clock.advance(0)
    expect(kit.state.connections.value).toEqual({})
    expect(kit.left()).toBe(0)
  })
})

describe('stopping everything', () => {
  it('stops every timer, listener and request', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await kit.goLive('s', 1)
    const start = codeOf(kit.manager.start('t', anyStart))
    await settle()
    const { requests } = kit.transport
    await requests.find(({ kind }) => kind === 'start')?.fail(down())
    kit.manager.dispose()
    expect(await start).toBe('aborted')
    expect(kit.left()).toBe(0)
    const asked = requests.length
    await kit.clock.advance(60_000)
    expect(requests).toHaveLength(asked)
    expect(kit.transport.openChannels).toEqual([])
  })

  it('gives up the requests that are on their way', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    const read = await kit.nextRequest()
    const start = codeOf(kit.manager.start('t', anyStart))
    const starting = await kit.nextRequest()
    kit.manager.dispose()
    await start
    expect([read.signal.aborted, starting.signal.aborted]).toEqual([true, true])
  })

  it('reports none of the requests that it aborts', async () => {
    const kit = createKit()
    const { ready } = kit.manager.observe('r')
    await kit.nextRequest()
    kit.manager.dispose()
    expect(await codeOf(ready)).toBe('aborted')
    expect(kit.reported).toEqual([])
  })

  it('shows nothing as live', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.manager.dispose()
    expect(kit.status('r')).toBe('idle')
    expect(kit.state.runs.value.r?.status).toBe('started')
  })

  it('opens no channel for those who wait for a free one', async () => {
    const kit = createKit({ maxChannels: 1 })
    for (const runId of ['a', 'b', 'c', 'd']) kit.manager.observe(runId)
    await settle()
    expect(kit.transport.channels).toHaveLength(1)
    kit.manager.dispose()
    expect(kit.transport.channels).toHaveLength(1)
  })
})
