import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import type { ListQuery } from '../../../src/model/entities.ts'
import { listKey } from '../../../src/sync/lists/types.ts'
import { all, createListKit, moment, observed } from './support/list-kit.ts'

const ofFlow: ListQuery = { ...all, flow: 'f' }

describe('the feed of all lists', () => {
  it('is left with the last list, and not before', async () => {
    const kit = createListKit({ gcTime: 0 })
    const one = await observed(kit, all)
    const other = await observed(kit, ofFlow)
    one.release()
    await kit.clock.advance(moment)
    expect(kit.backend.hasOpenFeed).toBe(true)
    expect(kit.list(ofFlow)?.connection.status).toBe('live')
    other.release()
    await kit.clock.advance(moment)
    expect(kit.backend.hasOpenFeed).toBe(false)
    await observed(kit, all)
    expect(kit.list(all)?.connection.status).toBe('live')
    expect(kit.backend.feeds).toBe(2)
  })

  it.each([
    [1, 'polling', 0],
    [2, 'live', 1],
  ])('of %i channels leaves one for runs', async (maxChannels, status, feeds) => {
    const kit = createListKit({ maxChannels })
    await observed(kit, all)
    await kit.clock.advance(moment)
    expect(kit.list(all)?.connection.status).toBe(status)
    expect(kit.backend.feeds).toBe(feeds)
  })

  it('is connecting until it is joined, although the list is read', async () => {
    const kit = createListKit()
    const { ready } = kit.manager.observe(all)
    const hasRead = () => kit.list(all)?.isLoading === false
    while (!hasRead()) await kit.clock.step()
    await ready
    expect(kit.list(all)?.connection).toEqual({ status: 'connecting', error: null })
    await kit.clock.advance(moment)
  })

  it('that is down is shown by every list', async () => {
    const kit = createListKit()
    await observed(kit, all)
    await observed(kit, ofFlow)
    kit.backend.refuseFeed(new PgflowError('channel_failed', 'The connection is lost.'))
    const connection = { status: 'offline', error: { code: 'channel_failed' } }
    expect([all, ofFlow].map((query) => kit.list(query)?.connection)).toMatchObject([
      connection,
      connection,
    ])
    expect(kit.reported.map(({ code }) => code)).toEqual(['channel_failed'])
    await kit.clock.advance(8_000)
    expect(kit.list(all)?.connection).toMatchObject({
      status: 'polling',
      error: { code: 'channel_failed' },
    })
  })

  it('that is refused without a user leaves the error to the database', async () => {
    const kit = createListKit()
    await observed(kit, all)
    kit.backend.refuseFeed(new PgflowError('not_signed_in', 'Sign in.'))
    expect(kit.list(all)?.connection.error).toBeNull()
    expect(kit.reported).toEqual([])
  })

  it('with something that cannot be understood is reported, and every list is read', async () => {
    const kit = createListKit()
    await observed(kit, all)
    await observed(kit, ofFlow)
    const asked = kit.backend.requests.length
    kit.backend.garble()
    expect(kit.reported.map(({ code }) => code)).toEqual(['malformed_message'])
    await kit.clock.advance(moment)
    expect(kit.backend.requests).toHaveLength(asked + 2)
    expect(kit.list(all)?.connection.status).toBe('live')
  })
})

describe('who is signed in', () => {
  /** A list that a server has rendered, and nobody observes. */
  function hydrated() {
    const kit = createListKit({ hasFeed: false })
    const id = kit.backend.start('f')
    kit.state.write(listKey(all), { rows: kit.backend.rows(all), hasMore: false })
    expect(kit.list(all)?.ids).toEqual([id])
    return { kit, id }
  }

  it('sees nothing that a server has shown to somebody else', () => {
    const { kit } = hydrated()
    kit.backend.changeUser()
    expect(kit.lists.value).toEqual({})
    expect(kit.summaries.value).toEqual({})
  })

  it('sees what a server has shown, with a new token, too', () => {
    const { kit, id } = hydrated()
    kit.backend.changeSession('token')
    expect(kit.list(all)?.ids).toEqual([id])
  })

  it('keeps what is shown with a new token', async () => {
    const kit = createListKit()
    const id = kit.backend.start('f')
    await observed(kit, all)
    const asked = kit.backend.requests.length
    kit.backend.changeSession('token')
    expect(kit.list(all)?.ids).toEqual([id])
    await kit.clock.advance(moment)
    expect(kit.backend.requests).toHaveLength(asked)
  })

  it('and the page are not watched on a server', async () => {
    const kit = createListKit({ isServer: true })
    kit.backend.start('f')
    kit.manager.observe(all)
    expect(kit.isWatched()).toBe(false)
    await kit.clock.advance(moment)
    expect(kit.backend.feeds).toBe(0)
  })
})
