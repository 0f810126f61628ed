import { describe, expect, it } from 'vitest'
import { watch } from 'vue'
import { anyStart, codeOf, createKit, snapshot } from './support/kit.ts'

describe('a watcher of the store that acts at once', () => {
  it('a start that is removed as soon as it is seen opens no channel', async () => {
    const kit = createKit()
    const stop = watch(
      () => kit.state.runs.value.r?.status,
      (status) => status === 'pending' && kit.manager.remove('r'),
      { flush: 'sync' },
    )
    const started = codeOf(kit.manager.start('r', anyStart))
    expect(await started).toBe('aborted')
    stop()
    await kit.clock.advance(60_000)
    expect(kit.transport.openChannels).toEqual([])
    expect(kit.left()).toBe(0)
  })
  it('a run that is observed again while it is reset has one channel', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const stop = watch(
      () => kit.status('r'),
      (status) => status === 'idle' && kit.manager.observe('r'),
      { flush: 'sync' },
    )
    kit.manager.restart()
    stop()
    await kit.clock.advance(1_000)
    expect(kit.transport.openChannels).toHaveLength(1)
  })
})

describe('restart while start', () => {
  it('a reset by a watcher of the start leaves one channel', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    void (await kit.nextRequest()).reply()
    await kit.clock.advance(1)
    let done = false
    const stop = watch(
      () => kit.state.runs.value.r?.status,
      (status) => {
        if (status !== 'pending' || done) return
        done = true
        kit.manager.restart()
      },
      { flush: 'sync' },
    )
    void codeOf(kit.manager.start('r', anyStart))
    await kit.clock.advance(1)
    stop()
    expect(kit.transport.openChannels.length).toBe(1)
  })
})

describe('what is shown on the way', () => {
  it('a run that continues after its end is never idle while observed', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').receive('run:completed', { seq: 2, status: 'completed' })
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'completed', 'completed'))
    expect(kit.status('r')).toBe('closed')
    const seen: unknown[] = []
    const stop = watch(
      () => kit.status('r'),
      (s) => seen.push(s),
      { flush: 'sync' },
    )
    void kit.manager.refresh('r')
    await (await kit.nextRequest()).reply(snapshot('r', 3, 'started', 'started'))
    stop()
    expect(seen).not.toContain('idle')
  })
})
