import { describe, expect, it } from 'vitest'
import { pollDelay, type PollState } from '../../../src/sync/poll-delay.ts'
import { createKit, down, snapshot } from './support/kit.ts'

/** How long it is until the next request. */
async function waitOf(kit: ReturnType<typeof createKit>) {
  const before = kit.clock.time
  const request = await kit.nextRequest()
  return { request, wait: kit.clock.time - before }
}

const gathering = 250

describe('reads that fail', () => {
  it.each([
    ['least', 0, 0.75],
    ['middle', 0.5, 1],
    ['most', 0.999_999, 1.25],
  ])('are repeated more and more rarely, up to half a minute: %s', async (_name, dice, factor) => {
    const kit = createKit({ random: () => dice })
    kit.manager.observe('r')
    await (await kit.nextRequest()).fail(down())
    for (const base of [500, 1_000, 2_000, 5_000, 10_000, 30_000, 30_000, 30_000]) {
      const { request, wait } = await waitOf(kit)
      expect(Math.abs(wait - gathering - base * factor)).toBeLessThan(1)
      await request.fail(down())
    }
  })

  it('start again after a snapshot', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    for (let n = 0; n < 4; n += 1) await (await kit.nextRequest()).fail(down())
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    await (await kit.nextRequest()).fail(down())
    expect((await waitOf(kit)).wait).toBe(500 + gathering)
  })

  it('are repeated in time, whatever is received meanwhile', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    void kit.manager.refresh('r').catch(() => undefined)
    await (await kit.nextRequest()).fail(down())
    await kit.clock.advance(400)
    await kit.channelOf('r').receive('a:started', { seq: 2, step_slug: 'a', initial_tasks: 1 })
    expect((await waitOf(kit)).wait).toBe(100 + gathering)
  })

  it('start again when the page is visible again', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    for (let n = 0; n < 4; n += 1) await (await kit.nextRequest()).fail(down())
    kit.show(false)
    kit.show(true)
    await (await kit.nextRequest()).fail(down())
    expect((await waitOf(kit)).wait).toBe(500 + gathering)
  })
})

describe('polls that bring nothing new', () => {
  it('become rarer up to 15 s, and start again with updates', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    for (const base of [2_000, 3_000, 4_500, 6_750, 10_125, 15_000, 15_000]) {
      const { request, wait } = await waitOf(kit)
      expect(wait).toBe(base + gathering)
      await request.reply(snapshot('r', 1))
    }
    await (await kit.nextRequest()).reply(snapshot('r', 2, 'started', 'started'))
    const { request, wait } = await waitOf(kit)
    expect(wait).toBe(2_000 + gathering)
    await request.reply(snapshot('r', 2, 'started', 'started'))
    expect((await waitOf(kit)).wait).toBe(3_000 + gathering)
  })

  it('of a joined channel become rarer up to a minute, and start again with updates', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    for (const base of [15_000, 22_500, 33_750, 50_625, 60_000, 60_000]) {
      const { request, wait } = await waitOf(kit)
      expect(wait).toBe(base + gathering)
      await request.reply(snapshot('r', 1))
    }
    await kit.channelOf('r').receive('a:started', { seq: 2, step_slug: 'a', initial_tasks: 1 })
    expect((await waitOf(kit)).wait).toBe(15_000 + gathering)
  })

  it('are postponed by broadcasts', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.clock.advance(10_000)
    await kit.channelOf('r').receive('a:started', { seq: 2, step_slug: 'a', initial_tasks: 1 })
    expect((await waitOf(kit)).wait).toBe(15_000 + gathering)
  })

  it('become no rarer if something was received during the request', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    const { request } = await waitOf(kit)
    await kit.channelOf('r').receive('a:started', { seq: 2, step_slug: 'a' })
    await request.reply(snapshot('r', 2, 'started', 'started'))
    expect((await waitOf(kit)).wait).toBe(15_000 + gathering)
  })

  it('become no rarer because a caller has read the same', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    for (let n = 0; n < 3; n += 1) {
      void kit.manager.refresh('r')
      await (await kit.nextRequest()).reply(snapshot('r', 1))
    }
    expect((await waitOf(kit)).wait).toBe(15_000 + gathering)
  })

  it('start again when the channel is lost', async () => {
    const kit = createKit()
    await kit.goLive('r', 1)
    for (let n = 0; n < 4; n += 1) await (await kit.nextRequest()).reply(snapshot('r', 1))
    await kit.channelOf('r').goDown()
    expect((await waitOf(kit)).wait).toBe(2_000 + gathering)
  })

  it('start again when the page is visible again', async () => {
    const kit = createKit()
    kit.manager.observe('r')
    for (let n = 0; n < 5; n += 1) await (await kit.nextRequest()).reply(snapshot('r', 1))
    kit.show(false)
    kit.show(true)
    await (await kit.nextRequest()).reply(snapshot('r', 1))
    expect((await waitOf(kit)).wait).toBe(2_000 + gathering)
  })
})

describe('the wait before a poll', () => {
  const state: PollState = {
    failures: 0,
    isRefused: false,
    isOffline: false,
    isReceiving: false,
    isProbed: false,
    unchanged: 0,
  }
  it.each<[string, Partial<PollState>, number, number]>([
    ['without Realtime', {}, 1_500, 2_500],
    ['without Realtime and news', { unchanged: 99 }, 11_250, 18_750],
    ['with Realtime', { isReceiving: true }, 11_250, 18_750],
    ['with Realtime and without news', { isReceiving: true, unchanged: 99 }, 45_000, 75_000],
    ['by a probe', { isReceiving: true, isProbed: true }, 3_000, 4_000],
    [
      'by a probe without news',
      { isReceiving: true, isProbed: true, unchanged: 99 },
      15_000,
      20_000,
    ],
    ['without a network', { isOffline: true, failures: 9 }, 22_500, 30_000],
    ['while refused', { isRefused: true, isOffline: true }, 45_000, 60_000],
    ['after a failure', { failures: 1, isReceiving: true }, 375, 625],
    ['after many failures', { failures: 99 }, 22_500, 37_500],
  ])('%s is spread', (_name, patch, least, most) => {
    expect(pollDelay({ ...state, ...patch }, () => 0)).toBe(least)
    expect(pollDelay({ ...state, ...patch }, () => 1)).toBe(most)
  })
})
