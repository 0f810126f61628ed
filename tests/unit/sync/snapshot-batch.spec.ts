import { watch } from 'vue'
import { describe, expect, it } from 'vitest'
import { createKit, snapshot } from './support/kit.ts'

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

describe('a run that is removed by whoever watches it', () => {
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
