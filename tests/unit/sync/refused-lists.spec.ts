import { expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import type { ListQuery } from '../../../src/model/entities.ts'
import { createListKit, observed } from './support/list-kit.ts'

const going: ListQuery = { flow: null, status: 'started', pageSize: 2 }

it('a list that is refused is not read for each update of a run that the store follows', async () => {
  const kit = createListKit()
  const ids = [1, 2, 3].map(() => kit.backend.start('f'))
  await observed(kit, going)
  kit.backend.refusal = new PgflowError('not_granted', 'No.')
  while (kit.list(going)?.connection.status !== 'closed') await kit.clock.advance(1_000)
  expect(kit.shown(going)).toHaveLength(2)
  await kit.clock.advance(1_000)
  const before = kit.backend.requests.length
  // 20 s, less than the 60 s after which a refused list is asked for again (45 at least).
  for (let seq = 10; seq < 50; seq += 1) {
    kit.manager.receive({ run_id: ids[2] ?? '', seq, run: {}, needsSnapshot: true })
    await kit.clock.advance(500)
  }
  expect(kit.backend.requests.length - before).toBeLessThanOrEqual(1)
})

it('a list that is refused does not ask for its rest', async () => {
  const kit = createListKit()
  const ids = [1, 2, 3].map(() => kit.backend.start('f'))
  await observed(kit, going)
  kit.backend.refusal = new PgflowError('not_granted', 'No.')
  while (kit.list(going)?.connection.status !== 'closed') await kit.clock.advance(1_000)
  await kit.clock.advance(1_000)
  const before = kit.backend.requests.length
  kit.manager.receive({
    run_id: ids[2] ?? '',
    seq: 10,
    run: { status: 'completed' },
    needsSnapshot: false,
  })
  await kit.clock.advance(5_000)
  expect(kit.backend.requests.length - before).toBe(0)
})
