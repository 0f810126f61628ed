import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase, type Queryable } from './support/database.ts'
import { createFlow, startRun, takeTasks, workThrough } from './support/flows.ts'
import { messagesOf, snapshotOf, type Snapshot } from './support/messages.ts'
import { anon, asCaller, type Caller } from './support/roles.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())

function start(on: Queryable, flow: string, input: unknown, runId: string | null = null) {
  return on.query<Snapshot>(
    'select run, steps, seq::float8 from pgflow_client.start_flow_with_states($1, $2::jsonb, $3)',
    [flow, input === undefined ? null : JSON.stringify(input), runId],
  )
}

function startAs(caller: Caller, flow: string, input: unknown, runId?: string) {
  return asCaller(db, caller, (tx) => start(tx, flow, input, runId))
}

async function allowedFlow(...steps: Parameters<typeof createFlow>[1]) {
  const flow = await createFlow(db, steps.length > 0 ? steps : [{ slug: 'only' }])
  await db.query(`select pgflow_client.allow_start($1, 'anon')`, [flow])
  return flow
}

describe('start_flow_with_states', () => {
  it('starts a run and returns it, its steps by slug, and the seq they are true at', async () => {
    const flow = await allowedFlow({ slug: 'b' }, { slug: 'a', after: ['b'] })
    const runId = randomUUID()
    const rows = await startAs(anon, flow, { some: 'input' }, runId)
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({
      run: { run_id: runId, flow_slug: flow, status: 'started', input: { some: 'input' } },
      steps: [
        { step_slug: 'a', status: 'created', output: null, run_id: runId, step_index: 1 },
        { step_slug: 'b', status: 'started', output: null, initial_tasks: 1, step_index: 0 },
      ],
      seq: 2,
    })
    expect(await snapshotOf(db, runId)).toEqual(rows[0])
  })

  it.each([['', null] as const, ['chat:1', 'chat:1'] as const])(
    'leaves realtime.topic as it was: "%s"',
    async (topic, found) => {
      const flow = await allowedFlow()
      await db.transaction(async (tx) => {
        await tx.query(`select set_config('realtime.topic', $1, true)`, [topic])
        await start(tx, flow, {})
        expect(await tx.query('select realtime.topic()')).toEqual([{ topic: found }])
      })
    },
  )

  it('makes the run id where none is given', async () => {
    const flow = await allowedFlow()
    const [first] = await startAs(anon, flow, {})
    const [second] = await startAs(anon, flow, {})
    expect(first?.run.run_id).not.toBe(second?.run.run_id)
  })

  it('counts the end of a run that is over at once', async () => {
    const flow = await allowedFlow({ slug: 'each', map: true })
    const [row] = await startAs(anon, flow, [])
    expect(row).toMatchObject({ run: { status: 'completed', output: { each: [] } }, seq: 3 })
    const messages = await messagesOf(db, String(row?.run.run_id))
    expect(messages.map(({ event, payload }) => [payload.seq, event])).toEqual([
      [1, 'run:started'],
      [2, 'each:completed'],
      [3, 'run:completed'],
    ])
  })

  it('returns the run that exists when a start is repeated', async () => {
    const flow = await allowedFlow()
    const runId = randomUUID()
    const input = { a: 1, b: [true, null] }
    const first = await startAs(anon, flow, input, runId)
    expect(await startAs(anon, flow, { b: [true, null], a: 1 }, runId)).toEqual(first)
    await workThrough(db, flow)
    expect(await startAs(anon, flow, input, runId)).toMatchObject([
      { run: { status: 'completed' } },
    ])
    expect(await messagesOf(db, runId)).toHaveLength(4)
  })

  it('refuses a run id that another flow or another input has taken', async () => {
    const [flow, other] = [await allowedFlow(), await allowedFlow()]
    const runId = randomUUID()
    await startAs(anon, flow, { a: 1 }, runId)
    const conflict = { code: 'PT409', message: `The run id ${runId} is taken.` }
    await expect(startAs(anon, flow, { a: 2 }, runId)).rejects.toMatchObject(conflict)
    await expect(startAs(anon, other, { a: 1 }, runId)).rejects.toMatchObject(conflict)
  })

  it.each([
    ['null', null],
    ['no input', undefined],
  ])('refuses %s as input', async (_name, input) => {
    const flow = await allowedFlow()
    await expect(startAs(anon, flow, input)).rejects.toMatchObject({
      code: 'PT422',
      message: `The input of the flow "${flow}" is missing.`,
    })
  })

  it('refuses anything but an array where the flow maps over its input', async () => {
    const flow = await allowedFlow({ slug: 'each', map: true }, { slug: 'beside' })
    await expect(startAs(anon, flow, { length: 1 })).rejects.toMatchObject({
      code: 'PT422',
      message: `The input of the flow "${flow}" must be an array.`,
      detail: 'Its first step is a map over the input, and p_input is of type object.',
      hint: expect.stringContaining('Pass an array') as string,
    })
  })

  it('refuses an unknown flow', async () => {
    await expect(startAs(anon, 'no_such_flow', {})).rejects.toMatchObject({
      code: 'PT404',
      message: 'There is no flow "no_such_flow".',
      hint: expect.stringContaining('Check the spelling') as string,
    })
  })

  it('leaves nothing behind when it refuses', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = randomUUID()
    await expect(startAs(anon, flow, {}, runId)).rejects.toThrow()
    expect(await snapshotOf(db, runId)).toBeUndefined()
    expect(await messagesOf(db, runId)).toEqual([])
  })
})

describe('allow_start', () => {
  it('lets one role start one flow, until it is disallowed', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    const refusal = {
      code: 'PT403',
      message: `The role "authenticated" may not start the flow "${flow}".`,
      hint: `Allow it in a migration: select pgflow_client.allow_start('${flow}', 'authenticated');`,
    }
    const user: Caller = { role: 'authenticated', sub: randomUUID() }
    await expect(startAs(user, flow, {})).rejects.toMatchObject(refusal)
    await db.query(`select pgflow_client.allow_start($1, 'authenticated')`, [flow])
    await db.query(`select pgflow_client.allow_start($1, 'authenticated')`, [flow])
    expect(await startAs(user, flow, {})).toHaveLength(1)
    for (const role of ['anon', 'service_role'] as const) {
      await expect(startAs({ role }, flow, {})).rejects.toMatchObject({ code: 'PT403' })
    }
    await db.query(`select pgflow_client.disallow_start($1, 'authenticated')`, [flow])
    await expect(startAs(user, flow, {})).rejects.toMatchObject(refusal)
  })

  it('is not needed by the database owner, even inside a function of theirs', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    expect(await start(db, flow, {})).toHaveLength(1)
  })

  it('looks through security definer to the role that calls', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    await db.exec(`
      create or replace function public.start_for_me(p_flow text) returns setof jsonb
      language sql security definer set search_path = ''
      as 'select run from pgflow_client.start_flow_with_states(p_flow, ''{}'')';
    `)
    const call = (tx: Queryable) => tx.query('select public.start_for_me($1)', [flow])
    await expect(asCaller(db, anon, call)).rejects.toMatchObject({ code: 'PT403' })
    await db.exec('drop function public.start_for_me(text)')
  })

  it('can come before the flow, with a notice', async () => {
    const flow = `later_${randomUUID().slice(0, 8)}`
    await db.query(`select pgflow_client.allow_start($1, 'anon')`, [flow])
    await db.query('select pgflow.create_flow($1)', [flow])
    expect(await startAs(anon, flow, {})).toMatchObject([{ run: { status: 'completed' } }])
  })

  it('refuses a role that does not exist', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    await expect(
      db.query(`select pgflow_client.allow_start($1, 'annon')`, [flow]),
    ).rejects.toMatchObject({ message: 'The role "annon" does not exist.' })
  })
})

describe('get_run_with_states', () => {
  it('returns the run to any caller who has its id', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow, { a: 1 })
    const rows = await asCaller(db, anon, (tx) => snapshotOf(tx, runId))
    expect(rows).toEqual(await snapshotOf(db, runId))
  })

  it('returns no row of a run that does not exist', async () => {
    expect(await asCaller(db, anon, (tx) => snapshotOf(tx, randomUUID()))).toBeUndefined()
  })

  it('returns a run whose counter is not there, at a seq above all that it had', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow)
    const [task] = await takeTasks(db, flow)
    const loseCounter = () =>
      db.query('delete from pgflow_realtime.run_seq where run_id = $1', [runId])
    await loseCounter()
    const lost = await snapshotOf(db, runId)
    expect(lost).toMatchObject({ run: { status: 'started' } })
    expect(lost?.seq).toBeGreaterThan(2)
    expect((await snapshotOf(db, runId))?.seq, 'is no news when asked again').toBe(lost?.seq)
    await db.query('select pgflow.fail_task($1, $2, 0, $3)', [runId, task?.step_slug, 'broken'])
    const counted = await snapshotOf(db, runId)
    expect(counted).toMatchObject({ run: { error_message: 'broken' } })
    expect(counted?.seq, 'the next event shows as a gap').toBeGreaterThan((lost?.seq ?? 0) + 1)
    const seqs = (await messagesOf(db, runId)).map(({ payload }) => Number(payload.seq))
    expect(seqs.slice(0, 2)).toEqual([1, 2])
    expect(seqs.slice(2)).toEqual([(counted?.seq ?? 0) - 1, counted?.seq])
    await loseCounter()
    expect(await snapshotOf(db, runId)).toMatchObject({ run: { error_message: 'broken' } })
  })
})
