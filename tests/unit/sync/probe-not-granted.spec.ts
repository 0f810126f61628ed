import { expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { createKit, snapshot } from './support/kit.ts'

it('a probe that is not granted is not repeated', async () => {
  const kit = createKit({ hasSeqs: true })
  await kit.goLive('r', 1)
  const seen: string[] = []
  let seqs = 0
  for (let request = 0; request < 12; request += 1) {
    const asked = await kit.nextRequest()
    if (asked.kind === 'seqs') {
      seqs += 1
      await asked.fail(
        new PgflowError('not_granted', 'permission denied for function get_run_seqs'),
      )
    } else await asked.reply(snapshot('r', 1))
    seen.push(`${Math.round(kit.clock.time / 100) / 10}s ${asked.kind} -> ${kit.status('r')}`)
  }
  expect(seqs).toBe(1)
})
