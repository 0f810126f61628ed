import { describe, expect, it } from 'vitest'
import { createKit, down, snapshot } from './support/kit.ts'

describe('a browser that says that there is no network', () => {
  it('is shown as offline at once', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.connect(false)
    expect(kit.status('r')).toBe('offline')
    kit.connect(true)
    expect(kit.status('r')).toBe('live')
  })

  it('is not trusted: the run is asked for every half a minute', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.connect(false)
    for (let n = 0; n < 4; n += 1) {
      const before = kit.clock.time
      const read = await kit.nextRequest()
      expect(kit.clock.time - before).toBeGreaterThan(20_000)
      expect(kit.clock.time - before).toBeLessThanOrEqual(31_000)
      await read.fail(down())
    }
    expect(kit.status('r')).toBe('offline')
  })

  it('is overruled by an answer', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.connect(false)
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'live', seq: 2 })
    kit.connect(false)
    expect(kit.status('r')).toBe('offline')
  })

  it('is overruled by a join', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.connect(false)
    await kit.channelOf('r').join()
    expect(kit.status('r')).toBe('connecting')
  })

  it('makes all be read at once when there is one again', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.connect(false)
    const before = kit.clock.time
    kit.connect(true)
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.clock.time - before).toBeLessThanOrEqual(100)
  })
})

describe('timers that fire once a minute', () => {
  it('do not give a read up in the turn in which it is sent', async () => {
    const kit = createKit({ isThrottled: true })
    const { ready } = kit.manager.observe('r')
    const read = await kit.nextRequest()
    await kit.clock.advance(1_000)
    expect(read.signal.aborted).toBe(false)
    await read.reply(snapshot('r', 1))
    await ready
    expect(kit.state.runs.value.r?.status).toBe('started')
  })

  it('give a read up one turn later', async () => {
    const kit = createKit({ isThrottled: true })
    kit.manager.observe('r')
    const read = await kit.nextRequest()
    await kit.clock.advance(60_000)
    expect(read.signal.aborted).toBe(true)
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(kit.state.runs.value.r?.status).toBe('started')
  })
})

describe('a request that goes on although it was given up', () => {
  it('is repeated, and its late answer changes nothing', async () => {
    const kit = createKit({ ignoresAbort: true })
    kit.manager.observe('r')
    const late = await kit.nextRequest()
    await kit.clock.advance(10_000)
    expect(kit.state.connections.value.r?.error?.code).toBe('timeout')
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    await late.reply(snapshot('r', 9, 'failed'))
    expect(kit.state.connections.value.r).toMatchObject({ seq: 3, error: null })
    expect(kit.state.runs.value.r?.status).toBe('started')
  })

  it('ends with the run: nothing is written of what was removed', async () => {
    const kit = createKit({ ignoresAbort: true })
    kit.manager.observe('r')
    const late = await kit.nextRequest()
    kit.manager.remove('r')
    await late.reply(snapshot('r', 9))
    expect(kit.state.runs.value).toEqual({})
    expect(kit.state.connections.value).toEqual({})
  })
})
