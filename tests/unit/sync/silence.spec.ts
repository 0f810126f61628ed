import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { anyStart, createKit, down, snapshot } from './support/kit.ts'

/** A run that is live at seq 1, and the first probe of it. */
async function probed() {
  const kit = createKit({ hasSeqs: true })
  await kit.goLive('r', 1)
  const before = kit.clock.time
  const probe = await kit.nextRequest()
  return { kit, probe, wait: kit.clock.time - before }
}

/** The next whole read; probes until then find nothing. */
async function nextRead(kit: ReturnType<typeof createKit>) {
  for (;;) {
    const next = await kit.nextRequest()
    if (next.kind === 'read') return next
    await next.replySeqs({ r: 1 })
  }
}

describe('a joined channel on which nothing is received', () => {
  it('is checked within four seconds, by a request for the seq alone', async () => {
    const { probe, wait } = await probed()
    expect(probe).toMatchObject({ kind: 'seqs', runIds: ['r'] })
    expect(wait).toBeGreaterThan(2_000)
    expect(wait).toBeLessThanOrEqual(4_000)
  })

  it('is checked as soon although a start of it was refused meanwhile', async () => {
    const kit = createKit({ hasSeqs: true })
    await kit.goLive('r', 1)
    const before = kit.clock.time
    await kit.clock.advance(2_000)
    void kit.manager.start('r', anyStart).catch(() => undefined)
    await (await kit.nextRequest()).fail(new PgflowError('flow_not_found', 'No.'))
    expect((await kit.nextRequest()).kind).toBe('seqs')
    expect(kit.clock.time - before).toBeLessThanOrEqual(4_000)
  })

  it('is asked again after an outdated snapshot, and not at once', async () => {
    const { kit, probe } = await probed()
    await probe.replySeqs({ r: 2 })
    await (await kit.nextRequest()).reply(snapshot('r', 0))
    const before = kit.clock.time
    expect((await kit.nextRequest()).kind).toBe('read')
    expect(kit.clock.time - before).toBe(500)
  })

  it('is checked less often while nothing is new, to every 20 s', async () => {
    const { kit, probe } = await probed()
    await probe.replySeqs({ r: 1 })
    const waits: number[] = []
    while (kit.clock.time < 150_000) {
      const before = kit.clock.time
      const next = await kit.nextRequest()
      expect(next.kind).toBe('seqs')
      waits.push(kit.clock.time - before)
      await next.replySeqs({ r: 1 })
    }
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
    expect(Math.max(...waits)).toBeGreaterThan(15_000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(20_000)
  })

  it('that has lost a broadcast is read, and reported to be silent until something is received', async () => {
    const { kit, probe } = await probed()
    await probe.replySeqs({ r: 2 })
    expect(kit.status('r')).toBe('live')
    const read = await kit.nextRequest()
    expect(read.kind).toBe('read')
    await read.reply(snapshot('r', 2, 'started', 'started'))
    expect(kit.state.connections.value.r).toMatchObject({
      status: 'polling',
      seq: 2,
      error: { code: 'realtime_silent' },
    })
    await kit.channelOf('r').receive('a:started', { seq: 3, step_slug: 'a', initial_tasks: 1 })
    expect(kit.state.connections.value.r).toMatchObject({ status: 'live', seq: 3, error: null })
  })

  it('is not called silent when the broadcast was only late', async () => {
    const { kit, probe } = await probed()
    await probe.replySeqs({ r: 2 })
    await kit.clock.advance(200)
    await kit.channelOf('r').receive('a:started', { seq: 2, step_slug: 'a', initial_tasks: 1 })
    expect((await kit.nextRequest()).kind).toBe('seqs')
    expect(kit.status('r')).toBe('live')
  })

  it('is asked again after its time when the broadcast was only late', async () => {
    const { kit, probe } = await probed()
    await probe.replySeqs({ r: 2 })
    await kit.clock.advance(200)
    await kit.channelOf('r').receive('a:started', { seq: 2, step_slug: 'a', initial_tasks: 1 })
    const before = kit.clock.time
    expect((await kit.nextRequest()).kind).toBe('seqs')
    expect(kit.clock.time - before).toBeGreaterThan(2_000)
  })

  it('is not called silent when anything is received on it, be it old', async () => {
    const { kit, probe } = await probed()
    await probe.replySeqs({ r: 2 })
    await kit.channelOf('r').receive('a:started', { seq: 1, step_slug: 'a', initial_tasks: 1 })
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'started', 'started'))
    expect(kit.status('r')).toBe('live')
  })

  it('is read whole again when the snapshot to that was outdated', async () => {
    const { kit, probe } = await probed()
    await probe.replySeqs({ r: 1 })
    await (await nextRead(kit)).reply(snapshot('r', 0))
    expect((await kit.nextRequest()).kind).toBe('read')
  })

  it('is not called silent when the read shows nothing new', async () => {
    const { kit, probe } = await probed()
    await probe.replySeqs({ r: 2 })
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect(kit.status('r')).toBe('live')
  })

  it('is not silent any more when it is joined again', async () => {
    const { kit, probe } = await probed()
    await probe.replySeqs({ r: 2 })
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'started', 'started'))
    expect(kit.status('r')).toBe('polling')
    await kit.channelOf('r').goDown()
    await kit.channelOf('r').join()
    await (await kit.nextRequest()).reply(snapshot('r', 2))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'live', error: null })
  })

  it('is not called silent when the read contains more of what was received', async () => {
    const { kit, probe } = await probed()
    // A replica that does not have the run yet.
    await probe.replySeqs({})
    await (await kit.nextRequest()).reply(snapshot('r', 1, 'started', 'started'))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'live', seq: 1, error: null })
  })

  it('is not called silent when only the counter of the run has been made again', async () => {
    const { kit, probe } = await probed()
    await probe.replySeqs({ r: 1_700_000_000_000 })
    await (await kit.nextRequest()).reply(snapshot('r', 1_700_000_000_000))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'live', error: null })
  })

  it('is not called silent for what it missed before it was joined again', async () => {
    const { kit, probe } = await probed()
    await probe.replySeqs({ r: 2 })
    await kit.channelOf('r').goDown()
    await kit.channelOf('r').join()
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'started', 'started'))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'live', error: null })
  })

  it('of a run that the probe does not know is read', async () => {
    const { kit, probe } = await probed()
    await probe.replySeqs({})
    expect((await kit.nextRequest()).kind).toBe('read')
  })

  it('is read whole now and then: a seq reports nothing of contents', async () => {
    const { kit, probe, wait } = await probed()
    const live = kit.clock.time - wait
    await probe.replySeqs({ r: 1 })
    const read = await nextRead(kit)
    expect(kit.clock.time - live).toBe(175_000 + 250)
    await read.reply(snapshot('r', 1))
    const before = kit.clock.time
    await nextRead(kit)
    expect(kit.clock.time - before).toBe(175_000 + 250)
  })

  it('is not read whole before its back-off is over', async () => {
    const { kit, probe } = await probed()
    await probe.fail(down())
    const waits: number[] = []
    while (kit.clock.time < 300_000) {
      const before = kit.clock.time
      await (await kit.nextRequest()).fail(down())
      waits.push(kit.clock.time - before)
    }
    expect(waits.slice(5).filter((wait) => wait !== 30_250)).toEqual([])
  })
})

describe('a probe', () => {
  it('that an older migration does not have leaves whole reads, and is notified once', async () => {
    const { kit, probe } = await probed()
    await probe.fail(new PgflowError('not_migrated', 'There is no such function.'))
    for (let n = 0; n < 3; n += 1) {
      const read = await kit.nextRequest()
      expect(read.kind).toBe('read')
      await read.reply(snapshot('r', 1))
    }
    expect(kit.reported.map(({ code }) => code)).toEqual(['not_migrated'])
    expect(kit.status('r')).toBe('live')
  })

  it('that is refused once, as with an expired token, is followed by a read and by more probes', async () => {
    const { kit, probe } = await probed()
    await probe.fail(new PgflowError('unauthorized', 'No.'))
    const read = await kit.nextRequest()
    expect(read.kind).toBe('read')
    await read.reply(snapshot('r', 1))
    expect(kit.status('r')).toBe('live')
    expect((await kit.nextRequest()).kind).toBe('seqs')
  })

  it('that fails reports that there is no connection; a read follows', async () => {
    const { kit, probe } = await probed()
    await probe.fail(down())
    expect(kit.state.connections.value.r).toMatchObject({
      status: 'offline',
      error: { code: 'unreachable' },
    })
    const before = kit.clock.time
    const read = await kit.nextRequest()
    expect(kit.clock.time - before).toBeLessThanOrEqual(1_000)
    await read.reply(snapshot('r', 1))
    expect(kit.state.connections.value.r).toMatchObject({ status: 'live', error: null })
    expect((await kit.nextRequest()).kind).toBe('seqs')
  })

  it('is given up after its time', async () => {
    const { kit, probe } = await probed()
    await kit.clock.advance(9_900)
    expect(probe.signal.aborted).toBe(false)
    await kit.clock.advance(200)
    expect(probe.signal.aborted).toBe(true)
    expect(kit.state.connections.value.r?.error?.code).toBe('timeout')
  })

  it('requests it once for all runs', async () => {
    const kit = createKit({ hasSeqs: true })
    await kit.goLive('a', 1)
    await kit.goLive('b', 1)
    const probe = await kit.nextRequest()
    expect([...probe.runIds].sort()).toEqual(['a', 'b'])
    await probe.replySeqs({ a: 1, b: 4 })
    const next = await kit.nextRequest()
    expect(next).toMatchObject({ kind: 'read', runIds: ['b'] })
  })

  it('reports nothing to a run that was released, or is being read', async () => {
    const { kit, probe } = await probed()
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await probe.replySeqs({ r: 9 })
    await read.reply(snapshot('r', 1, 'started', 'started'))
    expect(kit.status('r')).toBe('live')
    expect((await kit.nextRequest()).kind).toBe('seqs')
    kit.manager.remove('r')
    expect(kit.left()).toBe(1)
  })

  it('that fails reports nothing of a run that is being read', async () => {
    const { kit, probe } = await probed()
    void kit.manager.refresh('r')
    const read = await kit.nextRequest()
    await probe.fail(down())
    expect(kit.reported).toEqual([])
    expect(kit.status('r')).toBe('live')
    await read.reply(snapshot('r', 1))
    expect((await kit.nextRequest()).kind).toBe('seqs')
  })

  it('does not ask for a run that is being read', async () => {
    const kit = createKit({ hasSeqs: true })
    await kit.goLive('a', 1)
    await kit.goLive('b', 1)
    void kit.manager.refresh('b')
    await kit.nextRequest()
    expect(await kit.nextRequest()).toMatchObject({ kind: 'seqs', runIds: ['a'] })
  })

  it('that is responded to reports that there is a network, whatever the browser reports', async () => {
    const kit = createKit({ hasSeqs: true })
    await kit.goLive('r', 1)
    kit.connect(false)
    expect(kit.status('r')).toBe('offline')
    const probe = await kit.nextRequest()
    expect(probe.kind).toBe('seqs')
    await probe.replySeqs({ r: 1 })
    expect(kit.status('r')).toBe('live')
  })

  it('is of no use while the channel is down: what is missed is read', async () => {
    const kit = createKit({ hasSeqs: true })
    await kit.goLive('r', 1)
    await kit.channelOf('r').goDown()
    expect((await kit.nextRequest()).kind).toBe('read')
  })
})
