import { describe, expect, it } from 'vitest'
import type { ListQuery } from '../../../src/model/entities.ts'
import { codeOf } from './support/kit.ts'
import { all, createListKit, facts, moment, observed } from './support/list-kit.ts'

describe('a page that is read once', () => {
  const page: ListQuery = { ...all, pageSize: 10 }

  it('is returned and kept nowhere', async () => {
    const kit = createListKit({ hasFeed: false })
    kit.backend.start('f')
    const fetched = kit.manager.fetchPage(page, null)
    await kit.clock.advance(500)
    expect((await fetched).runs).toEqual(kit.backend.rows(all))
    expect(kit.lists.value).toEqual({})
    expect(kit.summaries.value).toEqual({})
    expect(kit.left()).toBe(0)
  })

  it('teaches the lists that are observed what is newer', async () => {
    const kit = createListKit({ hasFeed: false })
    const id = kit.backend.start('f')
    await observed(kit, all)
    const asked = kit.backend.requests.length
    kit.backend.end(id, 'completed')
    const newest = kit.backend.start('f')
    void kit.manager.fetchPage(page, null)
    await kit.clock.advance(500)
    expect(facts(kit.shown(all))).toEqual(facts(kit.backend.rows(all)))
    expect(kit.list(all)?.ids).toEqual([newest, id])
    expect(Object.keys(kit.lists.value)).toHaveLength(1)
    expect(kit.backend.requests).toHaveLength(asked + 1)
  })

  it.each([true, false])('takes nothing back that is newer (counted: %s)', async (isCounted) => {
    const kit = createListKit({ hasFeed: false, isCounted })
    const id = kit.backend.start('f')
    const { refresh } = await observed(kit, all)
    kit.backend.answerTime = 1_000
    void kit.manager.fetchPage(page, null)
    await kit.clock.advance(500)
    kit.backend.end(id, 'completed')
    kit.backend.answerTime = 1
    void refresh()
    await kit.clock.advance(300)
    expect(kit.summaries.value[id]?.status).toBe('completed')
    await kit.clock.advance(700)
    expect(kit.summaries.value[id]?.status).toBe('completed')
  })

  it('also not the snapshot of a request under way', async () => {
    const kit = createListKit({ hasFeed: false, isCounted: false })
    const id = kit.backend.start('f')
    const { refresh } = await observed(kit, all)
    kit.backend.answerTime = 600
    void kit.manager.fetchPage(page, null)
    await kit.clock.advance(300)
    kit.backend.end(id, 'completed')
    kit.backend.answerTime = 1_000
    const refreshed = refresh()
    await kit.clock.advance(1_300)
    await refreshed
    expect(kit.summaries.value[id]?.status).toBe('completed')
  })

  it('does not reach the next user, whose list is shown meanwhile', async () => {
    const kit = createListKit({ hasFeed: false })
    await observed(kit, all)
    kit.backend.start('f')
    kit.backend.answerTime = 1_000
    const fetched = kit.manager.fetchPage(page, null).catch((error: unknown) => error)
    await kit.clock.advance(500)
    kit.backend.changeUser()
    await kit.clock.advance(moment)
    const message = 'The lists were reset.'
    expect(await fetched).toMatchObject({ code: 'aborted', message })
    expect(kit.list(all)?.ids).toEqual([])
    expect(kit.summaries.value).toEqual({})
  })

  it('does not reach the list of who signs in while none is observed', async () => {
    const kit = createListKit({ hasFeed: false })
    kit.backend.start('f')
    kit.backend.answerTime = 1_000
    const fetched = codeOf(kit.manager.fetchPage(page, null))
    await kit.clock.advance(500)
    kit.backend.changeUser()
    kit.backend.answerTime = 1
    const { ready } = kit.manager.observe(all)
    await kit.clock.advance(300)
    await ready
    await kit.clock.advance(500)
    expect(await fetched).toBe('aborted')
    expect(kit.list(all)?.ids).toEqual([])
    expect(kit.summaries.value).toEqual({})
  })

  it.each(['restart', 'dispose'] as const)('is not wanted any more after %s', async (end) => {
    const kit = createListKit({ hasFeed: false })
    const fetched = codeOf(kit.manager.fetchPage(page, null))
    kit.manager[end]()
    await kit.clock.advance(0)
    expect(await fetched).toBe('aborted')
    const again = codeOf(kit.manager.fetchPage(page, null))
    await kit.clock.advance(500)
    expect(await again).toBe('none')
    expect(kit.left()).toBe(0)
  })
})

describe('after $reset', () => {
  const run = { flow_slug: 'f', status: 'started', started_at: '2026-01-01T00:00:01+00:00' }

  it.each(['before', 'while'])('a run that was started %s it is nobody’s', async (when) => {
    const kit = createListKit({ hasFeed: false })
    await observed(kit, all)
    const claim = kit.manager.beginStart()
    if (when === 'before') claim('r')
    kit.manager.restart()
    if (when === 'while') claim('r')
    await kit.clock.advance(500)
    kit.manager.receive({ run_id: 'r', seq: 1, run, needsSnapshot: false })
    expect(kit.list(all)?.ids).toEqual([])
  })
})

it('a page that is fetched while the last list is dropped is returned all the same', async () => {
  const kit = createListKit()
  kit.backend.start('f')
  const { release } = await observed(kit, all)
  release()
  await kit.clock.advance(4_900)
  kit.backend.answerTime = 500
  const page = codeOf(kit.manager.fetchPage(all, null))
  await kit.clock.advance(1_000)
  expect(kit.manager.isObserved).toBe(false)
  expect(await page).toBe('none')
})
