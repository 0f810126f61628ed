import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase, type Queryable } from './support/database.ts'
import { createFlow, failTask, startRun, takeTasks, workThrough } from './support/flows.ts'
import { snapshotOf, type Payload, type Snapshot } from './support/messages.ts'
import { anon, asCaller, type Caller } from './support/roles.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())

const user = (): Caller => ({ role: 'authenticated', sub: randomUUID() })

function startAs(caller: Caller, flow: string): Promise<string> {
  return asCaller(db, caller, async (tx) => {
    const [row] = await tx.query<Snapshot>(
      `select run from pgflow_client.start_flow_with_states($1, '{"big": "input"}')`,
      [flow],
    )
    return String(row?.run.run_id)
  })
}

async function allowedFlow(): Promise<string> {
  const flow = await createFlow(db, [{ slug: 'only' }])
  for (const role of ['anon', 'authenticated']) {
    await db.query('select pgflow_client.allow_start($1, $2)', [flow, role])
  }
  return flow
}

interface Listed {
  run: Payload
  seq: number
  cursor: string
}

interface ListOptions {
  flow?: string
  status?: string
  before?: string
  limit?: number | null
}

async function list(on: Queryable, { flow, status, before, limit = 20 }: ListOptions = {}) {
  const rows = await on.query<{ runs: Listed[] }>(
    'select pgflow_client.list_runs($1, $2, $3, $4) as runs',
    [flow ?? null, status ?? null, before ?? null, limit],
  )
  expect(rows).toHaveLength(1)
  return rows[0]?.runs ?? []
}

const listAs = (caller: Caller, options?: ListOptions) =>
  asCaller(db, caller, (tx) => list(tx, options))
const ids = (rows: Listed[]) => rows.map((row) => row.run.run_id)

describe('list_runs', () => {
  it('has the runs of the caller, newest first, as their snapshots return them [F16]', async () => {
    const [flow, me] = [await allowedFlow(), user()]
    const first = await startAs(me, flow)
    await startAs(user(), flow)
    const [task] = await takeTasks(db, flow, 1)
    if (task) await failTask(db, task, 'broken')
    const second = await startAs(me, flow)
    const rows = await listAs(me)
    expect(ids(rows)).toEqual([second, first])
    expect(rows[1]).toMatchObject({ run: { status: 'failed', error_message: 'broken' }, seq: 4 })
    for (const row of rows) {
      const snapshot = await snapshotOf(db, String(row.run.run_id))
      expect(snapshot?.run).toMatchObject(row.run)
      expect(snapshot?.seq).toBe(row.seq)
      expect(row.run).not.toHaveProperty('input')
      expect(row.run).not.toHaveProperty('output')
    }
  })

  it('comes in pages that neither repeat nor skip, also when times are equal', async () => {
    const [flow, me] = [await allowedFlow(), user()]
    const runIds = await asCaller(db, me, async (tx) => {
      const started: string[] = []
      // One transaction: all of them have the same time.
      for (let index = 0; index < 7; index++) {
        const [row] = await tx.query<Snapshot>(
          `select run from pgflow_client.start_flow_with_states($1, '{}')`,
          [flow],
        )
        started.push(String(row?.run.run_id))
      }
      return started
    })
    const seen: unknown[] = []
    let before: string | undefined
    for (let page = 0; page < 4; page++) {
      const rows = await listAs(me, { limit: 2, ...(before ? { before } : {}) })
      seen.push(...ids(rows))
      before = rows.at(-1)?.cursor
      // A run that comes meanwhile is on no later page.
      await startAs(me, flow)
    }
    expect(seen).toEqual(runIds.toSorted().toReversed())
  })

  it('is narrowed to a flow and a status', async () => {
    const [flow, other, me] = [await allowedFlow(), await allowedFlow(), user()]
    const done = await startAs(me, flow)
    await workThrough(db, flow)
    const running = await startAs(me, flow)
    await startAs(me, other)
    expect(ids(await listAs(me, { flow }))).toEqual([running, done])
    expect(ids(await listAs(me, { flow, status: 'completed' }))).toEqual([done])
    expect(ids(await listAs(me, { flow: 'no_such_flow' }))).toEqual([])
  })

  it('has every run for service_role and the database owner', async () => {
    const flow = await createFlow(db, [{ slug: 'only' }])
    const runId = await startRun(db, flow)
    expect(ids(await listAs({ role: 'service_role' }, { flow }))).toEqual([runId])
    expect(ids(await list(db, { flow }))).toEqual([runId])
    expect(ids(await list(db, { flow, status: 'failed' }))).toEqual([])
  })

  it('never has the runs of other users, even if the caller may read them by id', async () => {
    const flow = await allowedFlow()
    await startAs(user(), flow)
    await startAs(anon, flow)
    expect(await listAs(user())).toEqual([])
  })

  it.each([anon, { role: 'authenticated' } as const])(
    'refuses %j with not_signed_in',
    async (caller) => {
      await expect(listAs(caller)).rejects.toMatchObject({
        code: 'PT401',
        message: 'Sign in to list your runs.',
      })
    },
  )

  it.each([0, 101, -1, null])('refuses a page of %s', async (limit) => {
    await expect(listAs(user(), { limit })).rejects.toMatchObject({ code: 'PT422' })
  })

  it.each([
    ...['', 'x', '2026-01-01', `2026-01-01T00:00:00+00:00 ' or true --`],
    '2026-13-45T99:99:99+00:00 00000000-0000-4000-8000-000000000000',
  ])('refuses the cursor "%s"', async (before) => {
    await expect(listAs(user(), { before })).rejects.toMatchObject({
      code: 'PT422',
      message: 'The cursor is not one that list_runs returned.',
    })
  })
})

describe('get_runs_with_states', () => {
  const readAs = (caller: Caller, runIds: string[]) =>
    asCaller(db, caller, async (tx) => {
      const rows = await tx.query<{ runs: Snapshot[] }>(
        'select pgflow_client.get_runs_with_states($1::uuid[]) as runs',
        [runIds],
      )
      expect(rows).toHaveLength(1)
      return rows[0]?.runs ?? []
    })

  it('returns each run as get_run_with_states does, and leaves out what is unknown', async () => {
    const flow = await createFlow(db, [{ slug: 'a' }, { slug: 'b', after: ['a'] }])
    const runIds = [await startRun(db, flow), await startRun(db, flow)]
    const [first, second] = runIds
    const rows = await readAs(anon, [...runIds, randomUUID(), String(first)])
    expect(rows).toHaveLength(2)
    expect(rows).toContainEqual(await snapshotOf(db, String(first)))
    expect(rows).toContainEqual(await snapshotOf(db, String(second)))
    expect(await readAs(anon, [])).toEqual([])
  })

  it('leaves out the private runs of others', async () => {
    const [flow, me] = [await allowedFlow(), user()]
    const [mine, other] = [await startAs(me, flow), await startAs(user(), flow)]
    await db.exec(`select pgflow_realtime.set_visibility('private')`)
    const rows = await readAs(me, [mine, other])
    await db.exec(`select pgflow_realtime.set_visibility('public')`)
    expect(rows.map((row) => row.run.run_id)).toEqual([mine])
  })

  it('refuses more than 200', async () => {
    const many = Array.from({ length: 201 }, () => randomUUID())
    await expect(readAs(anon, many)).rejects.toMatchObject({ code: 'PT422' })
  })
})

describe('get_run_seqs', () => {
  const readAs = (caller: Caller, runIds: (string | null)[]) =>
    asCaller(db, caller, async (tx) => {
      const [row] = await tx.query<{ seqs: Record<string, number> }>(
        'select pgflow_client.get_run_seqs($1::uuid[]) as seqs',
        [runIds],
      )
      return row?.seqs
    })

  it('has the seq of each run that its snapshot has, and leaves out what is unknown', async () => {
    const flow = await createFlow(db, [{ slug: 'a' }])
    const [first, second] = [await startRun(db, flow), await startRun(db, flow)]
    await db.query('delete from pgflow_realtime.run_seq where run_id = $1', [second])
    expect(await readAs(anon, [first, second, first, randomUUID(), null])).toEqual({
      [first]: 2,
      [second]: (await snapshotOf(db, second))?.seq,
    })
    expect(await readAs(anon, [])).toEqual({})
  })

  it('leaves out the private runs of others', async () => {
    const [flow, me] = [await allowedFlow(), user()]
    const [mine, other] = [await startAs(me, flow), await startAs(user(), flow)]
    await db.exec(`select pgflow_realtime.set_visibility('private')`)
    const seen = await readAs(me, [mine, other])
    const all = await readAs({ role: 'service_role' }, [mine, other])
    await db.exec(`select pgflow_realtime.set_visibility('public')`)
    expect(Object.keys(seen ?? {})).toEqual([mine])
    expect(all).toEqual({ [mine]: 2, [other]: 2 })
  })

  it('refuses more than 200', async () => {
    const many = Array.from({ length: 201 }, () => randomUUID())
    await expect(readAs(anon, many)).rejects.toMatchObject({ code: 'PT422' })
  })
})

describe('get_flow', () => {
  const read = (slug: string) =>
    asCaller(db, anon, (tx) => tx.query('select * from pgflow_client.get_flow($1)', [slug]))

  it('returns the steps in order, with type and dependencies', async () => {
    const flow = await createFlow(db, [
      { slug: 'list' },
      { slug: 'each', after: ['list'], map: true },
      { slug: 'beside' },
      { slug: 'join', after: ['each', 'beside'] },
    ])
    expect(await read(flow)).toEqual([
      {
        flow_slug: flow,
        steps: [
          { step_slug: 'list', step_type: 'single', deps: [] },
          { step_slug: 'each', step_type: 'map', deps: ['list'] },
          { step_slug: 'beside', step_type: 'single', deps: [] },
          { step_slug: 'join', step_type: 'single', deps: ['beside', 'each'] },
        ],
      },
    ])
  })

  it('returns no row of an unknown flow, and no step of an empty one', async () => {
    expect(await read('no_such_flow')).toEqual([])
    const flow = await createFlow(db, [])
    expect(await read(flow)).toEqual([{ flow_slug: flow, steps: [] }])
  })
})
