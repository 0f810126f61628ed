import { describe, expect, it } from 'vitest'
import { codeOf, createKit, snapshot } from './support/kit.ts'
import { all, createListKit, observed } from './support/list-kit.ts'

const day = 86_400_000
const start = { flowSlug: 'f', input: {} }

/** A start that waits behind a read, while the clock jumps. */
async function startBehindARead(jump: number) {
  const kit = createKit()
  kit.manager.observe('r')
  const read = await kit.nextRequest()
  const started = codeOf(kit.manager.start('r', start))
  kit.jump(jump)
  await read.reply()
  return { kit, started, request: await kit.nextRequest() }
}

describe('a clock that jumps', () => {
  it('ahead does not end a start that waits behind a read', async () => {
    const { started, request } = await startBehindARead(day)
    expect(request.kind).toBe('start')
    await request.reply(snapshot('r', 1))
    expect(await started).toBe('none')
  })

  it('back does not keep a start waiting past its timeout', async () => {
    const { kit, started } = await startBehindARead(-day)
    await kit.clock.advance(10_000)
    expect(await started).toBe('timeout')
  })

  it.each([-day, day])('by %i ms does not put off the watchdog', async (jump) => {
    const kit = createKit()
    await kit.goLive('r', 3)
    kit.jump(jump)
    const before = kit.clock.time
    // The broadcast of seq 4 is lost.
    await (await kit.nextRequest()).reply(snapshot('r', 4))
    expect(kit.clock.time - before).toBeLessThanOrEqual(60_000)
    expect(kit.state.connections.value.r?.seq).toBe(4)
  })

  it('back after something was received does not postpone the poll by more than its wait', async () => {
    const kit = createKit()
    await kit.goLive('r', 3)
    await kit.clock.advance(1_000)
    await kit.channelOf('r').receive('a:started', { seq: 4, step_slug: 'a', initial_tasks: 1 })
    kit.jump(-day)
    const before = kit.clock.time
    await kit.nextRequest()
    expect(kit.clock.time - before).toBeLessThanOrEqual(60_000)
  })
})

describe('a clock that jumps, and lists', () => {
  it.each([
    [-day, true],
    [day, true],
    [-day, false],
    [day, false],
  ])('by %i ms does not put off what is new in a list (feed: %s)', async (jump, hasFeed) => {
    const kit = createListKit({ hasFeed })
    kit.backend.start('f')
    await observed(kit, all)
    kit.backend.faults = { ...kit.backend.faults, lose: 1 }
    kit.jump(jump)
    const id = kit.backend.start('f')
    await kit.clock.advance(hasFeed ? 61_000 : 4_000)
    expect(kit.list(all)?.ids[0]).toBe(id)
  })

  it.each([-day, day])('by %i ms takes back nothing that was received before', async (jump) => {
    const kit = createListKit()
    kit.backend.start('f')
    await observed(kit, all)
    kit.jump(jump)
    const id = kit.backend.start('f')
    await kit.clock.advance(1_000)
    expect(kit.list(all)).toMatchObject({ ids: [id, expect.anything()] })
    expect(kit.list(all)?.connection).toEqual({ status: 'live', error: null })
  })
})

it('a clock that is set back does not postpone a probe', async () => {
  const kit = createKit({ hasSeqs: true })
  await kit.goLive('r', 1)
  await kit.clock.advance(1_000)
  await kit.channelOf('r').receive('a:started', { seq: 2, step_slug: 'a' })
  const from = kit.clock.time
  kit.jump(-day)
  expect((await kit.nextRequest()).kind).toBe('seqs')
  expect(kit.clock.time - from).toBeLessThanOrEqual(4_000)
})

describe('a start that waits behind a read', () => {
  it('has the time that is left of its timeout, not all of it again', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    const read = await kit.nextRequest()
    let code = 'waits'
    void codeOf(kit.manager.start('r', start)).then((end) => (code = end))
    await kit.clock.advance(8_000)
    await read.reply()
    expect((await kit.nextRequest()).kind).toBe('start')
    await kit.clock.advance(1_900)
    expect(code).toBe('waits')
    await kit.clock.advance(200)
    expect(code).toBe('timeout')
  })
})
