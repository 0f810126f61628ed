import { afterAll, beforeAll, expect, it } from 'vitest'
import { MemoryDatabase } from '../../src/testing/database.ts'
import { defineFlow, type TestFlow } from '../../src/testing/definition.ts'
import type { Message } from '../../src/testing/rows.ts'
import type { RunRecord } from '../../src/testing/run-record.ts'
import { openTestDatabase, type TestDatabase } from '../sql/support/database.ts'
import { completeTask, createFlow, failTask, startRun, takeTasks } from '../sql/support/flows.ts'
import { messagesOf, snapshotOf } from '../sql/support/messages.ts'
import { comparable } from './support/comparable.ts'

// What owners of a database do to runs by hand: the model of the simulation does it as Postgres does.

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())

const flow: TestFlow = { first: {}, second: { deps: ['first'] } }

/** A run in Postgres, and the same in memory. */
async function startBoth() {
  const flowSlug = await createFlow(db, [{ slug: 'first' }, { slug: 'second', after: ['first'] }])
  const runId = await startRun(db, flowSlug, { of: 1 })
  const sent: Message[] = []
  const memory = new MemoryDatabase({
    ...{ flows: [defineFlow(flowSlug, flow)], isPrivate: false, maxPayloadBytes: 200_000 },
    ...{ onMessage: (message: Message) => sent.push(message), onStart: () => {} },
  })
  const record = memory.startFlow(flowSlug, { of: 1 }, runId, null)
  return { flowSlug, runId, record, sent }
}

function stepOf({ flow }: RunRecord, slug: string) {
  const step = flow.steps.find((each) => each.slug === slug)
  if (!step) throw new Error(`no step ${slug}`)
  return step
}

const namesAndPayloads = (
  messages: readonly { payload: unknown; event?: string; name?: string }[],
) => messages.map(({ event, name, payload }) => ({ name: event ?? name, payload }))

it('a run that has failed is repaired, and continues', async () => {
  const { flowSlug, runId, record, sent } = await startBoth()
  const told = { real: [await snapshotOf(db, runId)], memory: [record.snapshot()] }
  const keep = async () => {
    told.real.push(await snapshotOf(db, runId))
    told.memory.push(record.snapshot())
  }

  await takeTasks(db, flowSlug)
  await failTask(db, { run_id: runId, step_slug: 'first', task_index: 0 }, 'broken')
  record.failTask(stepOf(record, 'first'), 'broken')
  await keep()
  await db.query(
    `with repaired as (
       update pgflow.step_states set status = 'started', failed_at = null, error_message = null
       where run_id = $1 and status = 'failed'
     )
     update pgflow.runs set status = 'started', failed_at = null where run_id = $1`,
    [runId],
  )
  record.repair()
  await keep()

  expect(comparable({ sent: namesAndPayloads(sent), told: told.memory })).toEqual(
    comparable({ sent: namesAndPayloads(await messagesOf(db, runId)), told: told.real }),
  )
})

it('a counter that is lost continues above every seq it had, and then without gaps', async () => {
  const { flowSlug, runId, record, sent } = await startBoth()
  const seqs = { real: [] as unknown[], memory: [] as unknown[] }
  const before = { real: (await snapshotOf(db, runId))?.seq ?? 0, memory: record.snapshot().seq }
  await db.query('delete from pgflow_realtime.run_seq where run_id = $1', [runId])
  record.loseCounter()
  const without = { real: (await snapshotOf(db, runId))?.seq ?? 0, memory: record.snapshot().seq }
  await takeTasks(db, flowSlug)
  await completeTask(db, { run_id: runId, step_slug: 'first', task_index: 0 }, 1)
  record.completeTask(stepOf(record, 'first'), 0, 1)
  for (const { payload } of (await messagesOf(db, runId)).slice(2)) seqs.real.push(payload.seq)
  for (const { payload } of sent.slice(2)) seqs.memory.push(payload.seq)

  expect(before).toEqual({ real: 2, memory: 2 })
  for (const side of ['real', 'memory'] as const) {
    const [first, second] = seqs[side]
    expect(without[side] % 2 ** 20).toBe(0)
    expect(without[side]).toBeGreaterThan(before[side])
    expect(first).toBeGreaterThan(without[side] + 3_000_000)
    expect(second).toBe(Number(first) + 1)
    expect(seqs[side]).toHaveLength(2)
  }
  const after = { real: await snapshotOf(db, runId), memory: record.snapshot() }
  expect(after.memory.seq).toBe(seqs.memory.at(-1))
  expect(after.real?.seq).toBe(seqs.real.at(-1))
})
