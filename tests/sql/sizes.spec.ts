import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from './support/database.ts'
import { createFlow, startRun } from './support/flows.ts'
import { messagesOf, snapshotOf } from './support/messages.ts'

let db: TestDatabase
let flow: string
beforeAll(async () => {
  db = await openTestDatabase()
  flow = await createFlow(db, [{ slug: 'only' }])
})
beforeEach(() => db.exec('select pgflow_realtime.set_max_input_bytes(1000000)'))
afterAll(() => db.close())

const start = (input: string, runId = randomUUID()) =>
  db.query('select seq from pgflow_client.start_flow_with_states($1, $2::jsonb, $3)', [
    flow,
    input,
    runId,
  ])

describe('an input', () => {
  it.each([
    ['a number that no double holds', '{"a": [{"b": 1e309}]}'],
    ['a negative one', '[-1e400]'],
    ['one that is nothing to a double', '[[1e-400]]'],
    ['many of them', `[${Array.from({ length: 500 }, () => '1e131071').join(',')}]`],
    ['one by itself', '1e131071'],
  ])('is refused with %s', async (_name, input) => {
    await expect(start(input)).rejects.toMatchObject({
      code: 'PT422',
      message: `The input of the flow "${flow}" has a number that cannot be represented.`,
    })
  })

  it('is taken with every number that a double holds', async () => {
    const numbers = [0, -0, 1.5, 5e-324, -5e-324, 1.7976931348623157e308, 123456789012345, 1e-30]
    const runId = randomUUID()
    await start(JSON.stringify({ numbers }), runId)
    expect((await snapshotOf(db, runId))?.run.input).toEqual({
      numbers: numbers.map((number) => (Object.is(number, -0) ? 0 : number)),
    })
  })

  it.each([
    ['text', JSON.stringify('x'.repeat(1_000_001))],
    ['an array', JSON.stringify(Array.from({ length: 200_000 }, () => 1))],
    ['numbers whose text is long', JSON.stringify(Array.from({ length: 4000 }, () => 1e308))],
  ])('of more than max_input_bytes is refused: %s', async (_name, input) => {
    await expect(start(input)).rejects.toMatchObject({
      code: 'PT422',
      message: `The input of the flow "${flow}" is too large.`,
      hint: expect.stringContaining('set_max_input_bytes') as string,
    })
  })

  it('may be larger if it is set so', async () => {
    await db.exec('select pgflow_realtime.set_max_input_bytes(2000000)')
    await expect(start(JSON.stringify('x'.repeat(1_000_001)))).resolves.toHaveLength(1)
    await db.exec('select pgflow_realtime.set_max_input_bytes(1000)')
    await expect(start(JSON.stringify('x'.repeat(1001)))).rejects.toMatchObject({ code: 'PT422' })
  })

  it('that is nested deeper than the database can follow is refused, and fails nothing', async () => {
    const depth = 3000
    const runId = randomUUID()
    const nested = await start('['.repeat(depth) + ']'.repeat(depth), runId).catch(
      (error: unknown) => error,
    )
    if (nested instanceof Error) expect(nested).toMatchObject({ code: 'PT422' })
    else expect(await snapshotOf(db, runId)).toBeDefined()
  })
})

describe('with pgflow’s names', () => {
  it('a payload may be as large as Realtime takes, unless it is set', async () => {
    const large = 'x'.repeat(250_000)
    await db.exec(`select pgflow_realtime.set_step_event_prefix('step:')`)
    const whole = await startRun(db, flow, large)
    expect((await messagesOf(db, whole))[0]?.payload).toMatchObject({ input: large })
    await db.exec('select pgflow_realtime.set_max_payload_bytes(5000)')
    await db.exec(`select pgflow_realtime.set_step_event_prefix('')`)
    await db.exec(`select pgflow_realtime.set_step_event_prefix('step:')`)
    const cut = await startRun(db, flow, large)
    expect((await messagesOf(db, cut))[0]?.payload).toMatchObject({ truncated: ['input'] })
    await db.exec(`
      select pgflow_realtime.set_max_payload_bytes(3000000);
      select pgflow_realtime.set_step_event_prefix('');
    `)
    const back = await startRun(db, flow, large)
    expect((await messagesOf(db, back))[0]?.payload).toMatchObject({ truncated: ['input'] })
  })

  it('no event is sent for the creation of a step, which pgflow never sends', async () => {
    await db.exec(`select pgflow_realtime.set_step_event_prefix('step:')`)
    const runId = await startRun(db, flow)
    await db.query(
      `update pgflow.step_states set status = 'created', started_at = null, remaining_tasks = null
       where run_id = $1`,
      [runId],
    )
    await db.exec(`select pgflow_realtime.set_step_event_prefix('')`)
    const messages = await messagesOf(db, runId)
    expect(messages.map(({ event, payload }) => [payload.seq, event])).toEqual([
      [1, 'run:started'],
      [2, 'step:only:started'],
      [3, 'only:created'],
    ])
  })
})
