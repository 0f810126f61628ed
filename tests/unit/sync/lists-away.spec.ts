import { describe, expect, it } from 'vitest'
import type { ListQuery } from '../../../src/sync/list-types.ts'
import { all, createListKit, moment, observed } from './support/list-kit.ts'

const started: ListQuery = { flow: null, status: 'started', pageSize: 2 }

describe('while nobody sees the page, or it has no network', () => {
  it('nothing is asked, and the list knows that it is behind', async () => {
    const kit = createListKit()
    const ids = [1, 2, 3].map(() => kit.backend.start('f'))
    await observed(kit, started)
    const asked = kit.backend.requests.length
    kit.surroundings.toggle()
    await kit.clock.advance(moment)
    kit.backend.drop()
    await kit.clock.advance(moment)
    // One that leaves makes room, and one that was never seen may belong into the list.
    kit.backend.end(ids[2] ?? '', 'completed')
    kit.manager.hear({ run_id: ids[1] ?? '', seq: 9, run: { status: 'started' }, isPartial: true })
    await kit.clock.advance(60_000)
    kit.manager.restart()
    await kit.clock.advance(60_000)
    kit.backend.changeUser()
    await kit.clock.advance(60_000)
    expect(kit.backend.requests).toHaveLength(asked)
    expect(kit.list(started)?.connection.status).not.toBe('live')
    const id = kit.backend.start('f')
    kit.surroundings.toggle()
    await kit.clock.advance(moment)
    expect(kit.list(started)).toMatchObject({ ids: [id], connection: { status: 'live' } })
  })

  it('what was about to be asked waits', async () => {
    const kit = createListKit()
    kit.backend.start('f')
    await observed(kit, all)
    const asked = kit.backend.requests.length
    kit.manager.beginStart()('r')
    kit.manager.hear({ run_id: 'r', seq: 1, run: { flow_slug: 'f' }, isPartial: true })
    kit.surroundings.toggle()
    await kit.clock.advance(moment)
    expect(kit.backend.requests).toHaveLength(asked)
  })

  it('who asks is answered', async () => {
    const kit = createListKit()
    const id = kit.backend.start('f')
    kit.surroundings.toggle()
    const { ready } = await observed(kit, all)
    await ready
    expect(kit.list(all)?.ids).toEqual([id])
  })
})
