import { describe, expect, it } from 'vitest'
import { codeOf, createKit, down, snapshot } from './support/kit.ts'

async function refusedAfterEnd() {
  const kit = createKit({ isPrivate: true })
  await kit.goLive('r', 1)
  // The end is heard after a gap, and what is missing cannot be read.
  await kit.channelOf('r').receive('run:completed', { seq: 9, status: 'completed' })
  while (kit.status('r') !== 'closed') await (await kit.nextRequest()).reply()
  expect(kit.state.connections.value.r?.error?.code).toBe('run_not_found')
  return kit
}

describe('a run that was refused after an end with a gap', () => {
  it('is read by the next observer', async () => {
    const kit = await refusedAfterEnd()
    const before = kit.transport.requests.length
    kit.manager.observe('r')
    await kit.clock.advance(1_000)
    expect(kit.transport.requests.length).toBe(before + 1)
  })
  it('is read with a new token, also once somebody else has observed it', async () => {
    const kit = await refusedAfterEnd()
    const before = kit.transport.requests.length
    kit.manager.observe('r')
    await kit.transport.changeSession('token')
    await kit.clock.advance(1_000)
    expect(kit.transport.requests.length).toBeGreaterThan(before)
  })
  it('is read for ever, or until it succeeds', async () => {
    const kit = await refusedAfterEnd()
    kit.manager.observe('r')
    await (await kit.nextRequest()).reply()
    await (await kit.nextRequest()).reply(snapshot('r', 9, 'completed', 'completed'))
    expect(kit.state.steps.value['r/a']?.status).toBe('completed')
  })
})

describe('an end that is read in a refused run while another request is queued', () => {
  async function endRead() {
    const kit = createKit()
    await kit.goLive('r', 1)
    await kit.channelOf('r').receive('a:started', { seq: 9, step_slug: 'a' })
    while (kit.status('r') !== 'closed') await (await kit.nextRequest()).reply()
    expect(kit.state.connections.value.r?.error?.code).toBe('run_not_found')
    const one = codeOf(kit.manager.refresh('r'))
    const first = await kit.nextRequest()
    const two = codeOf(kit.manager.refresh('r'))
    await first.reply(snapshot('r', 12, 'completed', 'completed'))
    expect(await one).toBe('none')
    return { ...kit, two }
  }
  it('is confirmed, and stays so when the next request fails', async () => {
    const kit = await endRead()
    await (await kit.nextRequest()).fail(down())
    expect(await kit.two).toBe('unreachable')
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', error: null })
  })
  it('is confirmed, and stays so when the next request is refused', async () => {
    const kit = await endRead()
    await (await kit.nextRequest()).reply()
    expect(await kit.two).toBe('run_not_found')
    expect(kit.state.connections.value.r).toMatchObject({ status: 'closed', error: null })
  })
})
