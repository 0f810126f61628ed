import { expect, it } from 'vitest'
import type { ListQuery } from '../../../src/model/entities.ts'
import { createListKit, observed } from './support/list-kit.ts'
import { noListFaults } from './support/list-backend.ts'

const started: ListQuery = { flow: null, status: 'started', pageSize: 2 }
const beside: ListQuery = { ...started, pageSize: 5 }

it('a run that started while a read failed, and ended before the next, does not come back', async () => {
  const kit = createListKit()
  kit.backend.start('f')
  await observed(kit, beside)
  const { refresh } = await observed(kit, started)
  kit.backend.faults = { ...noListFaults, hang: 1 }
  const failing = expect(refresh()).rejects.toMatchObject({ code: 'timeout' })
  kit.backend.faults = noListFaults
  const id = kit.backend.start('f')
  // The read is given up.
  await kit.clock.advance(10_100)
  await failing
  expect(kit.list(started)?.ids).toContain(id)
  // No read is under way until the next attempt.
  kit.backend.end(id, 'completed')
  const seen = new Set<string>()
  await kit.clock.advance(220)
  for (let time = 0; time < 10_000; time += 20) {
    await kit.clock.advance(20)
    for (const query of [started, beside]) {
      for (const shown of kit.list(query)?.ids ?? []) seen.add(shown)
    }
  }
  expect([...seen]).not.toContain(id)
  expect(kit.list(started)?.connection).toEqual({ status: 'live', error: null })
})
