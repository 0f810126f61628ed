import { watch } from 'vue'
import { describe, expect, it } from 'vitest'
import { SnapshotBatch } from '../../../src/sync/snapshot-batch.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { createKit, snapshot } from './support/kit.ts'
import { ScriptedTransport } from './support/scripted-transport.ts'

describe('reads of many runs', () => {
  it('take no more than 200 runs each', async () => {
    const kit = createKit()
    const runIds = Array.from({ length: 450 }, (_, index) => `r${index}`)
    for (const runId of runIds) kit.manager.observe(runId)
    const requests = [await kit.nextRequest(), await kit.nextRequest(), await kit.nextRequest()]
    expect(requests.map((request) => request.runIds.length)).toEqual([200, 200, 50])
    expect(requests.flatMap((request) => request.runIds)).toEqual(runIds)
    for (const request of requests)
      await request.reply(...request.runIds.map((id) => snapshot(id, 1)))
    expect(Object.keys(kit.state.runs.value)).toHaveLength(450)
  })

  it('leave out what nobody waits for any more', async () => {
    const kit = createKit()
    await kit.goLive('a', 1)
    await kit.goLive('b', 1)
    await kit.channelOf('a').join()
    await kit.channelOf('b').join()
    kit.manager.remove('a')
    expect((await kit.nextRequest()).runIds).toEqual(['b'])
  })

  it('are one request when they are exactly 200', async () => {
    const kit = createKit()
    for (let n = 0; n < 200; n += 1) kit.manager.observe(`r${n}`)
    await kit.nextRequest()
    await kit.clock.advance(1_000)
    expect(kit.transport.requests).toHaveLength(1)
  })
})

describe('a batch', () => {
  const wanted = new AbortController().signal
  const onSent = () => undefined
  function createBatch() {
    const transport = new ScriptedTransport(true)
    const clock = new VirtualClock(() => 0.5)
    const batch = new SnapshotBatch(transport, clock, 10_000)
    const asked = () => transport.requests.map(({ runIds }) => runIds)
    return { transport, clock, batch, asked }
  }

  it('with somebody in it who does not wait is sent at once, anybody who comes later', async () => {
    const { clock, batch, asked } = createBatch()
    void batch.fetch('a', 0, wanted, onSent)
    void batch.fetch('b', 250, wanted, onSent)
    await clock.advance(0)
    expect(asked()).toEqual([['a', 'b']])
  })

  it('that waits is sent at once when somebody reports it', async () => {
    const { clock, batch, asked } = createBatch()
    void batch.fetch('a', 250, wanted, onSent)
    batch.sendNow()
    await clock.advance(0)
    expect(asked()).toEqual([['a']])
  })

  it('of nothing is not sent, and the next one waits', async () => {
    const { clock, batch, asked } = createBatch()
    batch.sendNow()
    void batch.fetch('a', 250, wanted, onSent)
    await clock.advance(249)
    expect(asked()).toEqual([])
    await clock.advance(1)
    expect(asked()).toEqual([['a']])
  })

  it('has a run that one of two still waits for', async () => {
    const { clock, batch, asked } = createBatch()
    const gone = new AbortController()
    void batch.fetch('a', 250, gone.signal, onSent)
    void batch.fetch('a', 250, wanted, onSent)
    gone.abort()
    await clock.advance(250)
    expect(asked()).toEqual([['a']])
  })

  it('is not sent when nobody waits any more', async () => {
    const { clock, batch, asked } = createBatch()
    const gone = new AbortController()
    void batch.fetch('a', 250, gone.signal, onSent)
    gone.abort()
    await clock.advance(5_000)
    expect(asked()).toEqual([])
  })

  it('that is not sent any more is aborted, and what was responded to is left alone', async () => {
    const { transport, clock, batch, asked } = createBatch()
    const first = batch.fetch('a', 0, wanted, onSent)
    await clock.advance(0)
    await transport.requests[0]?.reply(snapshot('a', 1))
    await first
    const waiting = batch.fetch('b', 250, wanted, onSent)
    batch.dispose()
    await expect(waiting).rejects.toMatchObject({
      code: 'aborted',
      message: 'It is not followed any more.',
    })
    await clock.advance(5_000)
    expect(asked()).toEqual([['a']])
    expect(transport.requests[0]?.signal.aborted).toBe(false)
  })
})

describe('the channel of a run that is started', () => {
  it('is opened with the start where anybody may join', () => {
    const kit = createKit()
    void kit.manager.start('r', { flowSlug: 'f', input: {} })
    expect(kit.transport.openChannels).toHaveLength(1)
  })

  it('is opened after the start where only the owner may join', async () => {
    const kit = createKit({ isPrivate: true })
    void kit.manager.start('r', { flowSlug: 'f', input: {} })
    const start = await kit.nextRequest()
    expect(kit.transport.channels).toEqual([])
    await start.reply(snapshot('r', 1))
    expect(kit.transport.openChannels).toHaveLength(1)
    await kit.channelOf('r').join()
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(kit.status('r')).toBe('live')
  })

  it('is closed for the start where an observer was refused because there is no run yet', () => {
    const kit = createKit({ isPrivate: true })
    kit.manager.observe('r')
    expect(kit.transport.openChannels).toHaveLength(1)
    void kit.manager.start('r', { flowSlug: 'f', input: {} })
    expect(kit.transport.openChannels).toEqual([])
  })
})

describe('a run that is removed by anybody who watches it', () => {
  it.each(['runs', 'connections', 'steps'] as const)('through %s leaves nothing', async (table) => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const stop = watch(kit.state[table], () => kit.manager.remove('r'), {
      flush: 'sync',
      deep: true,
    })
    await kit.channelOf('r').receive('a:completed', { seq: 2, step_slug: 'a', output: 1 })
    await kit.channelOf('r').receive('run:completed', { seq: 3, output: {} })
    stop()
    const { runs, steps, stepOrder, connections } = kit.state
    for (const rows of [runs, steps, stepOrder, connections]) expect(rows.value).toEqual({})
    expect(kit.transport.openChannels).toEqual([])
  })
})
