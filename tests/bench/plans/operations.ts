import { randomUUID } from 'node:crypto'
import type { ExplainingSession } from './explain.ts'
import { flowSlug, userId } from './fill.ts'

/** Something that the API or a worker does; `turn` varies what it does it to. */
export interface Operation {
  name: string
  run: (db: ExplainingSession, turn: number) => Promise<void>
  times?: number
}

type Role = 'anon' | 'authenticated' | 'service_role'

/** Does `work` as PostgREST would for this role, and the user of that number. */
async function as(
  db: ExplainingSession,
  role: Role,
  user: number,
  work: () => Promise<void>,
): Promise<void> {
  const claims = role === 'authenticated' ? { role, sub: userId(user) } : { role }
  await db.exec('begin')
  try {
    await db.query(
      `select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)`,
      [role, JSON.stringify(claims)],
    )
    await work()
    await db.exec('commit')
  } catch (error) {
    await db.exec('rollback')
    throw error
  }
}

/** Some runs that user owns; the whole list is theirs to read. */
async function runsOf(db: ExplainingSession, user: number, count: number): Promise<string[]> {
  const rows = await db.query<{ run_id: string }>(
    'select run_id from pgflow_realtime.run_owners where owner = $1 limit $2',
    [userId(user), count],
  )
  return rows.map((row) => row.run_id)
}

async function list(
  db: ExplainingSession,
  filter: { flow?: string; status?: string; before?: string },
): Promise<string | undefined> {
  const rows = await db.query<{ cursor: string }>(
    `select entry ->> 'cursor' as cursor
     from jsonb_array_elements(pgflow_client.list_runs($1, $2, $3, 20)) as entry`,
    [filter.flow ?? null, filter.status ?? null, filter.before ?? null],
  )
  return rows.at(-1)?.cursor
}

function listing(role: Role): Operation[] {
  const filters = { '': {}, ' of a flow': { flow: 'rare' }, ' of a status': { status: 'started' } }
  return Object.entries(filters).map(([title, filter]) => ({
    name: `list_runs${title} as ${role}, two pages`,
    run: (db, turn) =>
      as(db, role, turn, async () => {
        const before = await list(db, filter)
        if (before !== undefined) await list(db, { ...filter, before })
      }),
  }))
}

const start: Operation = {
  name: 'start_flow_with_states, and once more with the same id',
  run: (db, turn) =>
    as(db, 'authenticated', turn, async () => {
      const runId = randomUUID()
      for (const id of [runId, runId]) {
        await db.query('select from pgflow_client.start_flow_with_states($1, $2, $3)', [
          flowSlug,
          '{"text": "A short input."}',
          id,
        ])
      }
    }),
}

const read: Operation[] = [
  {
    name: 'get_run_with_states',
    run: async (db, turn) => {
      const [runId] = await runsOf(db, turn, 1)
      await as(db, 'authenticated', turn, async () => {
        await db.query('select from pgflow_client.get_run_with_states($1)', [runId])
      })
    },
  },
  {
    name: 'get_runs_with_states of 200 runs',
    run: async (db) => {
      const rows = await db.query<{ run_id: string }>(
        'select run_id from pgflow.runs order by run_id limit 200',
      )
      await as(db, 'service_role', 0, async () => {
        const ids = rows.map((row) => row.run_id)
        await db.query('select from pgflow_client.get_runs_with_states($1)', [ids])
      })
    },
  },
  {
    name: 'get_flow',
    run: (db) =>
      as(db, 'anon', 0, async () => {
        await db.query('select from pgflow_client.get_flow($1)', [flowSlug])
      }),
  },
  {
    name: 'joining a private channel',
    run: async (db, turn) => {
      const [runId = ''] = await runsOf(db, turn, 1)
      await as(db, 'authenticated', turn, async () => {
        await db.query(`select set_config('realtime.topic', $1, true)`, [`pgflow:run:${runId}`])
        await db.query(`select from realtime.messages where id = gen_random_uuid()`)
      })
    },
  },
]

/** The triggers, by what pgflow's own worker does: tasks that complete, are retried, and fail. */
const work: Operation = {
  name: 'a worker that completes, retries and fails tasks',
  async run(db) {
    const messages = await db.query<{ msg_id: string }>('select msg_id from pgmq.read($1, 60, 4)', [
      flowSlug,
    ])
    const tasks = await db.query<{ run_id: string; step_slug: string; task_index: number }>(
      `select run_id, step_slug, task_index from pgflow.start_tasks($1, $2::bigint[],
         (select worker_id from pgflow.workers limit 1))`,
      [flowSlug, messages.map((message) => message.msg_id)],
    )
    for (const [index, { run_id, step_slug, task_index }] of tasks.entries()) {
      const [call, result] =
        index % 4 === 3 ? ['fail_task', 'It broke.'] : ['complete_task', '"done"']
      await db.query(`select from pgflow.${call}($1, $2, $3, $4)`, [
        run_id,
        step_slug,
        task_index,
        result,
      ])
    }
  },
  times: 15,
}

const forget: Operation = {
  name: 'deleting a run',
  async run(db) {
    const [run] = await db.query<{ run_id: string }>(
      'select run_id from pgflow.runs order by run_id limit 1',
    )
    for (const table of ['step_tasks', 'step_states', 'runs']) {
      await db.query(`delete from pgflow.${table} where run_id = $1`, [run?.run_id])
    }
  },
}

/** Everything that is looked at. */
export const operations: readonly Operation[] = [
  start,
  ...read,
  ...listing('authenticated'),
  ...listing('service_role'),
  work,
  forget,
]
