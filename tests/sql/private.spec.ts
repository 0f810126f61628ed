import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from './support/database.ts'
import { completeTask, createFlow, startRun, takeTasks } from './support/flows.ts'
import { messagesOf, messagesOn, snapshotOf, type Snapshot } from './support/messages.ts'
import { anon, asCaller, mayListen, maySend, type Caller } from './support/roles.ts'

let db: TestDatabase
let flow: string
const owner: Caller = { role: 'authenticated', sub: randomUUID() }
const stranger: Caller = { role: 'authenticated', sub: randomUUID() }
const service: Caller = { role: 'service_role' }

beforeAll(async () => {
  db = await openTestDatabase()
  flow = await createFlow(db, [{ slug: 'only' }])
  for (const role of ['anon', 'authenticated', 'service_role']) {
    await db.query('select pgflow_client.allow_start($1, $2)', [flow, role])
  }
})
beforeEach(() => db.exec(`select pgflow_realtime.set_visibility('private')`))
afterAll(() => db.close())

async function startAs(caller: Caller, runId = randomUUID(), input = '{"secret": 1}') {
  await asCaller(db, caller, (tx) =>
    tx.query('select * from pgflow_client.start_flow_with_states($1, $2::jsonb, $3)', [
      flow,
      input,
      runId,
    ]),
  )
  return runId
}

function readAs(caller: Caller, runId: string): Promise<Snapshot | undefined> {
  return asCaller(db, caller, (tx) => snapshotOf(tx, runId))
}

describe('a private run', () => {
  it('is broadcast privately only, its own events and the feed of its owner', async () => {
    const runId = await startAs(owner)
    const [task] = await takeTasks(db, flow)
    if (task) await completeTask(db, task, 'result')
    const messages = await db.query<{ private: boolean }>(
      `select private from realtime.messages where payload::text like '%' || $1 || '%'`,
      [runId],
    )
    expect(messages).toHaveLength(6)
    expect(messages.filter((message) => !message.private)).toEqual([])
  })

  it('is read by its owner and service_role, and by nobody else', async () => {
    const runId = await startAs(owner)
    expect(await readAs(owner, runId)).toMatchObject({ run: { run_id: runId } })
    expect(await readAs(service, runId)).toMatchObject({ run: { run_id: runId } })
    expect(await readAs(stranger, runId)).toBeUndefined()
    expect(await readAs(anon, runId)).toBeUndefined()
    expect(await readAs({ role: 'authenticated' }, runId)).toBeUndefined()
  })

  it('is received by its owner and service_role, and by nobody else', async () => {
    const topic = `pgflow:run:${await startAs(owner)}`
    expect(await mayListen(db, owner, topic)).toBe(true)
    expect(await mayListen(db, service, topic)).toBe(true)
    expect(await mayListen(db, stranger, topic)).toBe(false)
    expect(await mayListen(db, anon, topic)).toBe(false)
    expect(await mayListen(db, { role: 'authenticated' }, topic)).toBe(false)
  })

  it('looks like one that does not exist', async () => {
    const [runId, unknown] = [await startAs(owner), randomUUID()]
    expect(await readAs(stranger, runId)).toEqual(await readAs(stranger, unknown))
    for (const id of [runId, unknown, 'x', `${runId}'`, '%', `${runId}\n`]) {
      expect(await mayListen(db, stranger, `pgflow:run:${id}`)).toBe(false)
    }
  })

  it('takes no message from any client, its owner included', async () => {
    const runId = await startAs(owner)
    for (const topic of [`pgflow:run:${runId}`, `pgflow:user:${owner.sub ?? ''}`]) {
      for (const caller of [owner, stranger, anon]) {
        expect(await maySend(db, caller, topic)).toBe(false)
      }
    }
  })

  it('of nobody signed in is for service_role only', async () => {
    const runId = await startRun(db, flow)
    expect(await readAs(service, runId)).toBeDefined()
    for (const caller of [owner, anon, { role: 'authenticated' } as const]) {
      expect(await readAs(caller, runId)).toBeUndefined()
      expect(await mayListen(db, caller, `pgflow:run:${runId}`)).toBe(false)
    }
  })

  it('belongs to a user whose id is not a UUID as well', async () => {
    const clerk: Caller = { role: 'authenticated', sub: 'user_2aXv' }
    const runId = await startAs(clerk)
    expect(await readAs(clerk, runId)).toBeDefined()
    expect(await mayListen(db, clerk, `pgflow:run:${runId}`)).toBe(true)
  })
})

describe('starting a private run', () => {
  it('needs a signed-in user', async () => {
    await expect(startAs(anon)).rejects.toMatchObject({
      code: 'PT401',
      message: `Sign in to start the flow "${flow}".`,
    })
    for (const nobody of [{ role: 'authenticated' }, { role: 'authenticated', sub: '' }] as const) {
      await expect(startAs(nobody)).rejects.toMatchObject({ code: 'PT401' })
      expect(await mayListen(db, nobody, 'pgflow:user:')).toBe(false)
    }
    expect(await startAs(service)).toEqual(expect.any(String))
  })

  it('can be repeated by its owner, and by nobody else', async () => {
    const runId = await startAs(owner)
    expect(await startAs(owner, runId)).toBe(runId)
    await expect(startAs(stranger, runId)).rejects.toMatchObject({ code: 'PT409' })
    expect(await messagesOf(db, runId)).toHaveLength(2)
  })
})

describe('the feed of a user', () => {
  it('has the events of their runs, without input and output [F16]', async () => {
    const user: Caller = { role: 'authenticated', sub: randomUUID() }
    const topic = `pgflow:user:${user.sub ?? ''}`
    const runId = await startAs(user)
    for (const task of await takeTasks(db, flow)) await completeTask(db, task, 'result')
    const run = (await snapshotOf(db, runId))?.run
    expect(await messagesOn(db, topic)).toEqual([
      {
        topic,
        event: 'run:started',
        private: true,
        payload: {
          seq: 1,
          event_type: 'run:started',
          run_id: runId,
          flow_slug: flow,
          status: 'started',
          remaining_steps: 1,
          started_at: run?.started_at,
        },
      },
      {
        topic,
        event: 'run:completed',
        private: true,
        payload: {
          seq: 4,
          event_type: 'run:completed',
          run_id: runId,
          flow_slug: flow,
          status: 'completed',
          started_at: run?.started_at,
          completed_at: run?.completed_at,
        },
      },
    ])
  })

  it('is received by that user only', async () => {
    const topic = `pgflow:user:${owner.sub ?? ''}`
    expect(await mayListen(db, owner, topic)).toBe(true)
    expect(await mayListen(db, stranger, topic)).toBe(false)
    expect(await mayListen(db, anon, topic)).toBe(false)
    expect(await mayListen(db, anon, 'pgflow:user:')).toBe(false)
    expect(await mayListen(db, { role: 'authenticated' }, 'pgflow:user:')).toBe(false)
  })

  it('does not exist while runs are public', async () => {
    await db.exec(`select pgflow_realtime.set_visibility('public')`)
    const user: Caller = { role: 'authenticated', sub: randomUUID() }
    const runId = await startAs(user)
    expect(await messagesOn(db, `pgflow:user:${user.sub ?? ''}`)).toEqual([])
    expect(await readAs(anon, runId)).toBeDefined()
    await db.exec(`select pgflow_realtime.set_visibility('private')`)
    expect(await readAs(anon, runId)).toBeUndefined()
    expect(await readAs(user, runId), 'the owner was remembered').toBeDefined()
  })
})

describe('beside the policies of a project', () => {
  it('stays closed even where a project lets everyone into its channels', async () => {
    const runId = await startAs(owner)
    await db.exec(`
      create policy anyone_listens on realtime.messages for select to anon, authenticated using (true);
      create policy anyone_sends on realtime.messages for insert to anon, authenticated with check (true);
    `)
    const topic = `pgflow:run:${runId}`
    for (const caller of [stranger, anon]) {
      expect(await mayListen(db, caller, topic)).toBe(false)
      expect(await mayListen(db, caller, `pgflow:user:${owner.sub ?? ''}`)).toBe(false)
      expect(await maySend(db, caller, topic)).toBe(false)
      expect(await mayListen(db, caller, 'chat:1'), 'a channel of the project').toBe(true)
      expect(await maySend(db, caller, 'chat:1'), 'a channel of the project').toBe(true)
    }
    expect(await mayListen(db, owner, topic)).toBe(true)
    await db.exec(`
      drop policy anyone_listens on realtime.messages;
      drop policy anyone_sends on realtime.messages;
    `)
  })

  it('opens none of the channels of a project', async () => {
    for (const caller of [owner, anon]) expect(await mayListen(db, caller, 'chat:1')).toBe(false)
  })

  it('leaves none behind when runs become public again', async () => {
    await db.exec(`select pgflow_realtime.set_visibility('public')`)
    const policies = await db.query(
      `select from pg_policy where polrelid = 'realtime.messages'::regclass`,
    )
    expect(policies).toEqual([])
  })
})

describe('becoming private', () => {
  it('silences the broadcasts of pgflow that an upgrade brought back', async () => {
    await db.exec('select pgflow_realtime.give_back()')
    await db.exec(`select pgflow_realtime.set_visibility('private')`)
    expect((await messagesOf(db, await startAs(owner))).map((message) => message.private)).toEqual([
      true,
      true,
    ])
  })
})
