import { randomUUID } from 'node:crypto'
import type { Json } from 'pinia-pgflow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MemoryDatabase } from '../../src/testing/database.ts'
import { defineFlow, type TestFlow } from '../../src/testing/definition.ts'
import { DatabaseError, type Message } from '../../src/testing/rows.ts'
import { openTestDatabase, type Queryable, type TestDatabase } from '../sql/support/database.ts'
import { completeTask, createFlow, failTask, startRun, takeTasks } from '../sql/support/flows.ts'
import { messagesOf, messagesOn, snapshotOf } from '../sql/support/messages.ts'
import { asCaller, type Caller } from '../sql/support/roles.ts'
import { comparable } from './support/comparable.ts'
import { scenarios, type Scenario } from './support/scenarios.ts'

/**
 * The backend of `pinia-pgflow/testing` beside the real one: pgflow and this project's SQL on
 * Postgres. Both play the same, and say the same at every moment.
 */
let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())

/** The flow in Postgres, and in memory under the same slug. */
async function bothFlows({ flow, maxAttempts = 1 }: Pick<Scenario, 'flow' | 'maxAttempts'>) {
  const steps = Object.entries(flow).map(([slug, { deps = [], type }]) => ({
    ...{ slug, after: [...deps], map: type === 'map', maxAttempts },
  }))
  return createFlow(db, steps)
}

function memoryOf(flowSlug: string, flow: TestFlow, isPrivate = false) {
  const messages: Message[] = []
  const memory = new MemoryDatabase({
    flows: [defineFlow(flowSlug, flow)],
    isPrivate,
    maxPayloadBytes: 200_000,
    onMessage: (message) => messages.push(message),
    onStart: () => {},
  })
  return { memory, messages }
}

const namesAndPayloads = (
  messages: readonly { payload: unknown; event?: string; name?: string }[],
) => messages.map(({ event, name, payload }) => ({ name: event ?? name, payload }))

describe('the same flow, worked on in the same way, sends and returns the same', () => {
  it.each(Object.entries(scenarios))('%s', async (_name, scenario) => {
    const { flow, input = { url: 'x' }, moves, maxAttempts = 1 } = scenario
    const flowSlug = await bothFlows(scenario)
    const { memory, messages } = memoryOf(flowSlug, flow)
    const runId = await startRun(db, flowSlug, input)
    const record = memory.startFlow(flowSlug, input, runId, null)
    const told = { real: [await snapshotOf(db, runId)], memory: [record.snapshot()] }

    for (const move of moves) {
      await takeTasks(db, flowSlug, 200)
      const { step: step_slug, task: task_index = 0 } = move
      const task = { run_id: runId, step_slug, task_index }
      const step = record.flow.steps.find(({ slug }) => slug === step_slug)
      if (!step) throw new Error('no such step')
      if ('output' in move) {
        await completeTask(db, task, move.output)
        record.completeTask(step, task_index, move.output)
      } else {
        await failTask(db, task, move.failure)
        const { attempts = 1 } = record.tasks(step_slug)[task_index] ?? {}
        if (attempts < maxAttempts) record.retryTask(step, task_index, move.failure)
        else record.failTask(step, move.failure)
      }
      told.real.push(await snapshotOf(db, runId))
      told.memory.push(record.snapshot())
    }

    const sent = namesAndPayloads(await messagesOf(db, runId))
    expect(namesAndPayloads(messages).map(({ name }) => name)).toEqual(sent.map(({ name }) => name))
    expect(comparable({ sent: namesAndPayloads(messages), told: told.memory })).toEqual(
      comparable({ sent, told: told.real }),
    )
  })
})

describe('what is refused is refused with the same code and words', () => {
  const flow: TestFlow = { each: { type: 'map' } }
  const me: Caller = { role: 'authenticated', sub: randomUUID() }
  const start = (tx: Queryable, slug: string, input: Json, runId: string) =>
    tx.query('select run from pgflow_client.start_flow_with_states($1, $2::jsonb, $3)', [
      slug,
      JSON.stringify(input),
      runId,
    ])
  const list = (tx: Queryable, limit: number) =>
    tx.query('select pgflow_client.list_runs(null, null, null, $1)', [limit])

  const failureOf = async (work: () => unknown): Promise<{ code: unknown; message: string }> => {
    try {
      await work()
    } catch (error) {
      if (error instanceof Error && 'code' in error)
        return { code: error.code, message: error.message }
      throw error
    }
    throw new Error('it was not refused')
  }

  it.each(['flow', 'null', 'no array', 'not allowed', 'taken'])('a start: %s', async (what) => {
    const slug = await bothFlows({ flow })
    const { memory } = memoryOf(slug, flow)
    if (what === 'not allowed') memory.allowStart(slug, false)
    else await db.query(`select pgflow_client.allow_start($1, 'authenticated')`, [slug])
    const runId = randomUUID()
    if (what === 'taken') {
      await asCaller(db, me, (tx) => start(tx, slug, [1], runId))
      memory.startFlow(slug, [1], runId, me.sub ?? null)
    }
    const input = { flow: [], null: null, 'no array': { a: 1 }, 'not allowed': [], taken: [2] }[
      what
    ]
    const asked = what === 'flow' ? 'nowhere' : slug
    const real = await failureOf(() =>
      asCaller(db, me, (tx) => start(tx, asked, input ?? null, runId)),
    )
    const told = await failureOf(() =>
      memory.startFlow(asked, input ?? null, runId, me.sub ?? null),
    )
    expect(told).toEqual(real)
  })

  it.each<[string, Caller, number]>([
    ['signed out', { role: 'anon' }, 20],
    ['too many', me, 101],
    ['none', me, 0],
  ])('a list: %s', async (_name, caller, limit) => {
    const { memory } = memoryOf('any', flow)
    const real = await failureOf(() => asCaller(db, caller, (tx) => list(tx, limit)))
    const query = { flow: null, status: null, before: null, limit }
    const told = await failureOf(() => memory.list(query, caller.sub ?? null))
    expect(told).toEqual(real)
    expect(() => memory.list(query, caller.sub ?? null)).toThrow(DatabaseError)
  })
})

describe('with private runs', () => {
  it('the owner receives the same on the feed, and others read nothing', async () => {
    const flow: TestFlow = { a: {} }
    const slug = await bothFlows({ flow })
    const me: Caller = { role: 'authenticated', sub: randomUUID() }
    await db.query(`select pgflow_client.allow_start($1, 'authenticated')`, [slug])
    await db.query(`select pgflow_realtime.set_visibility('private')`)
    const runId = randomUUID()
    await asCaller(db, me, (tx) =>
      tx.query('select pgflow_client.start_flow_with_states($1, $2::jsonb, $3)', [
        slug,
        '{}',
        runId,
      ]),
    )
    const [task] = await takeTasks(db, slug)
    if (task) await completeTask(db, task, 1)
    const real = namesAndPayloads(await messagesOn(db, `pgflow:user:${me.sub}`))
    await db.query(`select pgflow_realtime.set_visibility('public')`)

    const { memory, messages } = memoryOf(slug, flow, true)
    const record = memory.startFlow(slug, {}, runId, me.sub ?? null)
    const [step] = record.flow.steps
    if (step) record.completeTask(step, 0, 1)
    const feed = messages.filter(({ topic }) => topic === `pgflow:user:${me.sub}`)
    expect(comparable(namesAndPayloads(feed))).toEqual(comparable(real))
    expect(feed).toHaveLength(2)
    expect(memory.snapshots([runId], me.sub ?? null)).toHaveLength(1)
    expect(memory.snapshots([runId], randomUUID())).toEqual([])
  })
})

describe('lists and shapes', () => {
  it('have the same rows and pages', async () => {
    const flow: TestFlow = { list: {}, each: { deps: ['list'], type: 'map' } }
    const slug = await bothFlows({ flow })
    const me: Caller = { role: 'authenticated', sub: randomUUID() }
    await db.query(`select pgflow_client.allow_start($1, 'authenticated')`, [slug])
    const { memory } = memoryOf(slug, flow)
    const runIds = Array.from({ length: 5 }, () => randomUUID())
    for (const runId of runIds) {
      await asCaller(db, me, (tx) =>
        tx.query('select pgflow_client.start_flow_with_states($1, $2::jsonb, $3)', [
          slug,
          '{}',
          runId,
        ]),
      )
      memory.startFlow(slug, {}, runId, me.sub ?? null)
    }
    const rows: unknown[][] = [[], []]
    let realCursor: string | null = null
    let cursor: string | null = null
    for (let page = 0; page < 3; page += 1) {
      const real = await asCaller(db, me, (tx) =>
        tx.query<{ cursor: string; run: Json; seq: string }>(
          `select entry -> 'run' as run, entry ->> 'seq' as seq, entry ->> 'cursor' as cursor
           from jsonb_array_elements(pgflow_client.list_runs($1, $2, $3, 2)) as entry`,
          [slug, 'started', realCursor],
        ),
      )
      const told = memory.list(
        { flow: slug, status: 'started', before: cursor, limit: 2 },
        me.sub ?? null,
      )
      rows[0]?.push(real.map(({ run, seq }) => ({ run, seq: Number(seq) })))
      rows[1]?.push(told.map(({ run, seq }) => ({ run, seq })))
      realCursor = real.at(-1)?.cursor ?? null
      cursor = told.at(-1)?.cursor ?? null
    }
    expect(comparable(rows[1])).toEqual(comparable(rows[0]))
    const [shape] = await db.query('select * from pgflow_client.get_flow($1)', [slug])
    expect(memory.flow(slug)).toEqual(shape)
    expect(memory.flow('nowhere')).toBeUndefined()
  })
})
