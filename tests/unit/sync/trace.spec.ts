import { afterEach, describe, expect, it, vi } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { createKit, down, snapshot } from './support/kit.ts'

const progress = (seq: number) => ({ seq, step_slug: 'a', initial_tasks: 1 })

/** A run that is live, and what the devtools are told of it from then on. */
async function live(hasSeqs = false) {
  const kit = createKit({ hasSeqs })
  await kit.goLive('r', 1)
  kit.traced.length = 0
  return kit
}

describe('the devtools are notified', () => {
  it('of the first read and the join', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    expect(kit.traced).toEqual(['fetch', 'joined', 'fetch', 'answer'])
  })

  it('of broadcasts: new, late, beyond a gap, and not to be understood', async () => {
    const kit = await live()
    await kit.channelOf('r').receive('a:started', progress(2))
    expect(kit.traced.splice(0)).toEqual(['event'])
    await kit.channelOf('r').receive('a:started', progress(2))
    expect(kit.traced.splice(0)).toEqual(['stale'])
    await kit.channelOf('r').receive('a:started', progress(9))
    expect(kit.traced.splice(0)).toEqual(['event', 'gap', 'fetch'])
    await (await kit.nextRequest()).reply(snapshot('r', 9))
    kit.traced.length = 0
    await kit.channelOf('r').receive('a:started', { seq: 'x' })
    expect(kit.traced).toContain('gap')
  })

  it('of reads that fail or are outdated, and of the end', async () => {
    const kit = await live()
    void kit.manager.refresh('r').catch(() => undefined)
    await (await kit.nextRequest()).fail(down())
    expect(kit.traced.splice(0)).toEqual(['retry'])
    await (await kit.nextRequest()).reply(snapshot('r', 0))
    expect(kit.traced.splice(0)).toEqual(['fetch', 'stale'])
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'completed'))
    expect(kit.traced.splice(0)).toEqual(['fetch', 'answer', 'ended'])
  })

  it('of a snapshot, and of a broadcast that came meanwhile and is beyond a gap', async () => {
    const kit = await live()
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await kit.channelOf('r').receive('a:started', progress(9))
    kit.traced.length = 0
    await read.reply(snapshot('r', 1))
    expect(kit.traced).toEqual(['answer', 'gap', 'fetch'])
  })

  it('of a channel that is lost', async () => {
    const kit = await live()
    await kit.channelOf('r').goDown()
    expect(kit.traced).toEqual(['left'])
  })

  it('of probes, and of a channel that has told nothing', async () => {
    const kit = await live(true)
    const probe = await kit.nextRequest()
    expect(kit.traced.splice(0)).toEqual(['probe'])
    await probe.replySeqs({ r: 2 })
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'started', 'started'))
    expect(kit.traced).toContain('silent')
  })
})

describe('in production', () => {
  afterEach(() => void vi.unstubAllEnvs())

  it('the devtools are notified nothing, and all else is the same', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const kit = createKit({ hasSeqs: true })
    await kit.goLive('r', 1)
    await kit.channelOf('r').receive('a:started', progress(2))
    await kit.channelOf('r').receive('a:started', progress(2))
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await kit.channelOf('r').receive('a:started', progress(9))
    await read.reply(snapshot('r', 2))
    await (await kit.nextRequest()).reply(snapshot('r', 9, 'started', 'started'))
    const probe = await kit.nextRequest()
    expect(probe.kind).toBe('seqs')
    await probe.replySeqs({ r: 10 })
    await (await kit.nextRequest()).reply(snapshot('r', 10, 'started', 'completed'))
    expect(kit.state.connections.value.r?.error?.code).toBe('realtime_silent')
    await kit.channelOf('r').receive('a:started', { seq: 'x' })
    await (await kit.nextRequest()).fail(down())
    await (await kit.nextRequest()).reply(snapshot('r', 0))
    await kit.channelOf('r').goDown()
    await (await kit.nextRequest()).reply(snapshot('r', 11, 'completed'))
    expect(kit.status('r')).toBe('closed')
    expect(kit.traced).toEqual([])
  })
})

describe('a run of which nothing is held yet', () => {
  it.each(['server_error', 'aborted'] as const)('is requested again after %s', async (code) => {
    const kit = createKit()
    kit.manager.observe('r')
    await (await kit.nextRequest()).fail(new PgflowError(code, 'No.'))
    const shown = code === 'aborted' ? undefined : code
    expect(kit.state.connections.value.r?.error?.code).toBe(shown)
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(kit.state.runs.value.r?.status).toBe('started')
  })

  it('is not requested again after a refusal', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await (await kit.nextRequest()).fail(new PgflowError('not_granted', 'No.'))
    const asked = kit.transport.requests.length
    await kit.clock.advance(300_000)
    expect(kit.transport.requests).toHaveLength(asked)
  })
})
