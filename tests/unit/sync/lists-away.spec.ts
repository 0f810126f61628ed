import { describe, expect, it } from 'vitest'
import type { ListQuery } from '../../../src/model/entities.ts'
import { all, createListKit, moment, observed } from './support/list-kit.ts'

const started: ListQuery = { flow: null, status: 'started', pageSize: 2 }

describe('while nobody sees the page', () => {
  it('nothing is polled, and all is read when it is seen again', async () => {
    const kit = createListKit()
    const ids = [1, 2, 3].map(() => kit.backend.start('f'))
    await observed(kit, started)
    const asked = kit.backend.requests.length
    kit.leave()
    await kit.clock.advance(600_000)
    expect(kit.backend.requests).toHaveLength(asked)
    kit.backend.faults = { ...kit.backend.faults, lose: 1 }
    kit.backend.end(ids[2] ?? '', 'completed')
    await kit.clock.advance(600_000)
    expect(kit.backend.requests).toHaveLength(asked)
    expect(kit.list(started)?.ids).toEqual([ids[2], ids[1]])
    kit.comeBack()
    await kit.clock.advance(moment)
    expect(kit.list(started)).toMatchObject({
      ids: [ids[1], ids[0]],
      connection: { status: 'live' },
    })
  })

  it('what is known to be missing is read all the same', async () => {
    const kit = createListKit()
    kit.backend.start('f')
    await observed(kit, all)
    kit.leave()
    kit.backend.drop()
    const id = kit.backend.start('f')
    await kit.clock.advance(moment)
    expect(kit.list(all)).toMatchObject({ connection: { status: 'live' } })
    expect(kit.list(all)?.ids[0]).toBe(id)
  })

  it('a request of a caller is sent', async () => {
    const kit = createListKit()
    const id = kit.backend.start('f')
    kit.leave()
    const { ready } = await observed(kit, all)
    await ready
    expect(kit.list(all)?.ids).toEqual([id])
  })
})
