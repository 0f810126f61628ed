import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { createKit, snapshot, type KitOptions } from './support/kit.ts'
import { all, createListKit, moment, observed } from './support/list-kit.ts'

const refused = () => new PgflowError('unauthorized', 'The token has expired.')

/** A run that was shown and is refused until that is believed. */
async function refusedForGood(options: KitOptions = {}) {
  const kit = createKit(options)
  await kit.goLive('r', 1)
  void kit.manager.refresh('r').catch(() => undefined)
  const from = kit.clock.time
  while (kit.status('r') !== 'closed') {
    await (await kit.nextRequest()).fail(refused())
  }
  return { kit, time: kit.clock.time - from }
}

describe('a refusal of what was shown', () => {
  it('is retried at first: the run is requested again, and its channel kept', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    void kit.manager.refresh('r').catch(() => undefined)
    await (await kit.nextRequest()).fail(refused())
    expect(kit.state.connections.value.r).toMatchObject({
      status: 'offline',
      error: { code: 'unauthorized' },
    })
    expect(kit.transport.openChannels).toHaveLength(1)
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'live', error: null, seq: 2 })
  })

  it.each([
    'unauthorized',
    'not_signed_in',
    'run_not_found',
    'not_migrated',
    'not_granted',
    'schema_not_exposed',
  ] as const)('is doubted, whatever it is: one %s ends neither a run nor a list', async (code) => {
    const kit = createKit()
    await kit.goLive('r', 1)
    void kit.manager.refresh('r').catch(() => undefined)
    await (await kit.nextRequest()).fail(new PgflowError(code, 'No.'))
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'live', error: null })

    const lists = createListKit()
    const id = lists.backend.start('f')
    const { refresh } = await observed(lists, all)
    lists.backend.refusal = new PgflowError(code, 'No.')
    const refused = expect(refresh()).rejects.toMatchObject({ code })
    await lists.clock.advance(300)
    await refused
    expect(lists.list(all)?.ids).toEqual([id])
    lists.backend.refusal = null
    await lists.clock.advance(moment)
    expect(lists.list(all)?.connection).toEqual({ status: 'live', error: null })
  })

  it('is believed when it has stood for 30 s', async () => {
    const { kit, time } = await refusedForGood()
    expect(time).toBeGreaterThanOrEqual(30_000)
    expect(time).toBeLessThan(60_000)
    expect(kit.state.connections.value.r?.error?.code).toBe('unauthorized')
    expect(kit.transport.openChannels).toEqual([])
    expect(kit.state.runs.value.r?.status).toBe('started')
  })

  it('is requested once a minute from then on, and forgotten when it is over', async () => {
    const { kit } = await refusedForGood()
    for (let n = 0; n < 3; n += 1) {
      const before = kit.clock.time
      const read = await kit.nextRequest()
      expect(kit.clock.time - before).toBeGreaterThan(44_000)
      expect(kit.clock.time - before).toBeLessThanOrEqual(61_000)
      await (n < 2 ? read.fail(refused()) : read.reply(snapshot('r', 3)))
    }
    expect(kit.state.connections.value.r).toMatchObject({ status: 'connecting', error: null })
    expect(kit.transport.openChannels).toHaveLength(1)
  })

  it('is requested at once when there is a new token', async () => {
    const { kit } = await refusedForGood()
    const before = kit.clock.time
    await kit.transport.changeSession('token')
    await (await kit.nextRequest()).reply(snapshot('r', 3))
    expect(kit.clock.time - before).toBeLessThanOrEqual(1_000)
    expect(kit.state.connections.value.r).toMatchObject({ seq: 3, error: null })
  })

  it('is over when the run is found to have ended, without another channel', async () => {
    const { kit } = await refusedForGood()
    const opened = kit.transport.channels.length
    await (await kit.nextRequest()).reply(snapshot('r', 3, 'completed'))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', error: null })
    const asked = kit.transport.requests.length
    await kit.clock.advance(300_000)
    expect(kit.transport.requests).toHaveLength(asked)
    expect(kit.transport.channels).toHaveLength(opened)
  })

  it('is not over because of a snapshot that is outdated', async () => {
    const { kit } = await refusedForGood()
    await (await kit.nextRequest()).reply(snapshot('r', 0))
    expect(kit.state.connections.value.r).toMatchObject({
      status: 'closed',
      error: { code: 'unauthorized' },
    })
    expect(kit.transport.openChannels).toEqual([])
  })

  it('starts again after a snapshot, and after another refusal', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    void kit.manager.refresh('r').catch(() => undefined)
    const refuse = async (ms: number, error: PgflowError) => {
      const from = kit.clock.time
      while (kit.clock.time - from < ms) await (await kit.nextRequest()).fail(error)
    }
    await refuse(15_000, refused())
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    await refuse(15_000, refused())
    expect(kit.status('r')).toBe('offline')
    await (await kit.nextRequest()).fail(new PgflowError('run_not_found', 'No such run.'))
    expect(kit.status('r')).toBe('offline')
  })

  it('does not matter to a run that is well when there is a new token', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const asked = kit.transport.requests.length
    await kit.transport.changeSession('token')
    await kit.clock.advance(1_000)
    expect(kit.transport.requests).toHaveLength(asked)
  })
})
