import { afterEach, describe, expect, it, vi } from 'vitest'
import { browserPageActivity } from '../../../src/sync/page-activity.ts'
import { createKit, down, snapshot } from './support/kit.ts'

describe('a browser that reports that it is offline', () => {
  it('is shown as offline at once', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.connect(false)
    expect(kit.status('r')).toBe('offline')
    kit.connect(true)
    expect(kit.status('r')).toBe('live')
  })

  it('is not trusted: the run is requested every half a minute', async () => {
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

  it('is overruled by a response', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    kit.connect(false)
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'live', seq: 2 })
    kit.connect(true)
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

describe('a request that continues although it was aborted', () => {
  it('is repeated, and its late response changes nothing', async () => {
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

describe('what the browser reports', () => {
  afterEach(() => vi.unstubAllGlobals())

  /** Something that events happen to, whatever this world takes for one. */
  function createTarget() {
    const listeners = new Map<string, Set<() => void>>()
    return {
      addEventListener: (name: string, listener: () => void) =>
        listeners.set(name, (listeners.get(name) ?? new Set()).add(listener)),
      removeEventListener: (name: string, listener: () => void) =>
        listeners.get(name)?.delete(listener),
      happen: (name: string) => {
        for (const listener of listeners.get(name) ?? []) listener()
      },
    }
  }

  /** As much of a browser as is looked at. */
  function createBrowser() {
    const browser = {
      window: createTarget(),
      document: { ...createTarget(), visibilityState: 'visible' },
      navigator: { onLine: true },
    }
    for (const [name, value] of Object.entries(browser)) vi.stubGlobal(name, value)
    return browser
  }

  it('is read each time', () => {
    const { document, navigator } = createBrowser()
    const { isVisible, isOnline } = browserPageActivity()
    expect([isVisible(), isOnline()]).toEqual([true, true])
    document.visibilityState = 'hidden'
    expect([isVisible(), isOnline()]).toEqual([false, true])
    navigator.onLine = false
    expect(isOnline()).toBe(false)
  })

  it('is reported until the listener is removed', () => {
    const { window, document } = createBrowser()
    let told = 0
    const stop = browserPageActivity().watch(() => (told += 1))
    const happen = () => {
      window.happen('online')
      window.happen('offline')
      document.happen('visibilitychange')
    }
    happen()
    expect(told).toBe(3)
    stop()
    happen()
    expect(told).toBe(3)
  })

  it.each(['window', 'document'])('is that all is well where there is no %s', (name) => {
    createBrowser()
    vi.stubGlobal(name, undefined)
    const { isVisible, isOnline, watch } = browserPageActivity()
    expect([isVisible(), isOnline()]).toEqual([true, true])
    expect(watch(() => undefined)()).toBeUndefined()
  })
})
