import { expect, it } from 'vitest'
import type { ListQuery } from '../../../src/model/entities.ts'
import { createListKit, observed } from './support/list-kit.ts'

it('ends of runs that are not shown leave a list live', async () => {
  const kit = createListKit()
  const query: ListQuery = { flow: null, status: null, pageSize: 5 }
  const ids = Array.from({ length: 80 }, () => kit.backend.start('f'))
  await observed(kit, query)
  await kit.clock.advance(10_000)
  const times: Record<string, number> = {}
  for (let n = 0; n < 60; n += 1) {
    kit.backend.end(ids[n] ?? '', 'completed') // the oldest ones: far below the page
    for (let part = 0; part < 10; part += 1) {
      await kit.clock.advance(100)
      const status = kit.list(query)?.connection.status ?? ''
      times[status] = (times[status] ?? 0) + 100
    }
  }
  expect(times.live).toBeGreaterThan(50_000)
})

it('a list of one status that loses rows does not send requests without a limit', async () => {
  const kit = createListKit()
  const query: ListQuery = { flow: null, status: 'started', pageSize: 20 }
  const ids = Array.from({ length: 400 }, () => kit.backend.start('f')).reverse()
  await observed(kit, query)
  await kit.clock.advance(10_000)
  const asked = kit.backend.requests.length
  for (let n = 0; n < 300; n += 1) {
    kit.backend.end(ids[n] ?? '', 'completed')
    await kit.clock.advance(200)
  }
  const requests = kit.backend.requests.length - asked
  expect(requests).toBeLessThan(60)
})

it('a list of one status is filled up within five seconds, however long runs keep ending', async () => {
  const kit = createListKit()
  const query: ListQuery = { flow: null, status: 'started', pageSize: 5 }
  const ids = Array.from({ length: 80 }, () => kit.backend.start('f')).reverse()
  await observed(kit, query)
  let short = 0
  let longest = 0
  for (let time = 0; time < 60_000; time += 100) {
    if (time % 900 === 0) kit.backend.end(ids[time / 900] ?? '', 'completed')
    await kit.clock.advance(100)
    short = kit.list(query)?.ids.length === 5 ? 0 : short + 100
    longest = Math.max(longest, short)
  }
  expect(longest).toBeLessThan(5_000)
})
