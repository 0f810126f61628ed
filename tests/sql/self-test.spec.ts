import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openTestDatabase, type TestDatabase } from './support/database.ts'
import { createFlow } from './support/flows.ts'
import { asCaller, mayListen, maySend, type Caller } from './support/roles.ts'

/** What self_test() answers, as far as these tests ask. */
interface Answer {
  sent: boolean
  refused: string | null
  may_send: boolean
  role: string
  flows: string[]
  flow_count: number
  startable: Record<string, number>
  problem_count: number
  problems: string[] | null
}

const anon: Caller = { role: 'anon' }
const ada: Caller = { role: 'authenticated', sub: '11111111-1111-4111-8111-111111111111' }
const service: Caller = { role: 'service_role' }

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db.close())
afterEach(() => db.exec(`select pgflow_realtime.set_visibility('public')`))

const ask = (caller: Caller, id: string | null = null) =>
  asCaller(db, caller, async (tx) => {
    const sql = 'select pgflow_client.self_test($1) as answer'
    const [row] = await tx.query<{ answer: Answer }>(sql, [id])
    const [topic] = await tx.query<{ topic: string }>(
      `select coalesce(current_setting('realtime.topic', true), '') as topic`,
    )
    expect(topic).toEqual({ topic: '' })
    if (!row) throw new Error('self_test() returned no row')
    return row.answer
  })

const sentOn = (id: string) =>
  db.query(
    'select event, payload - $2 as payload, private from realtime.messages where topic = $1',
    [`pgflow:self-test:${id}`, 'id'],
  )

describe('the self-test', () => {
  it('sends nothing when it is given no id', async () => {
    const before = await db.query('select from realtime.messages')
    expect(await ask(anon)).toMatchObject({ sent: false, refused: null, may_send: true })
    expect(await db.query('select from realtime.messages')).toHaveLength(before.length)
  })

  it('sends one public message while runs are public, for any caller', async () => {
    const id = randomUUID()
    expect(await ask(anon, id)).toMatchObject({ sent: true, refused: null })
    expect(await sentOn(id)).toEqual([
      { event: 'self_test', payload: { self_test: id }, private: false },
    ])
  })

  it('sends privately while runs are private, and for nobody who is not signed in', async () => {
    await db.exec(`select pgflow_realtime.set_visibility('private')`)
    const [id, other] = [randomUUID(), randomUUID()]
    expect(await ask(ada, id)).toMatchObject({ sent: true, refused: null })
    expect(await sentOn(id)).toMatchObject([{ private: true }])
    expect(await ask(anon, other)).toMatchObject({ sent: false })
    expect(await sentOn(other)).toEqual([])
  })

  it('is received by signed-in users only while runs are private, and nobody else sends there', async () => {
    await db.exec(`select pgflow_realtime.set_visibility('private')`)
    const topic = `pgflow:self-test:${randomUUID()}`
    expect(await mayListen(db, ada, topic)).toBe(true)
    expect(await mayListen(db, anon, topic)).toBe(false)
    expect(await mayListen(db, ada, `${topic}x`)).toBe(false)
    expect(await maySend(db, ada, topic)).toBe(false)
  })

  it('names the SQLSTATE where no message can be stored', async () => {
    const [partition] = await db.query<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits
       where inhparent = 'realtime.messages'::regclass
         and inhrelid::regclass::text like '%' || to_char(now(), 'YYYY_MM_DD') || '%'`,
    )
    await db.exec(`alter table realtime.messages detach partition ${partition?.name ?? ''}`)
    expect(await ask(anon, randomUUID())).toMatchObject({ refused: '23514', may_send: true })
    await db.exec(`drop table ${partition?.name ?? ''}`)
    await db.exec('select realtime.stand_in_create_partitions()')
    expect(await ask(anon, randomUUID())).toMatchObject({ refused: null })
  })

  it('reports which flows there are: those the caller may start, all to service_role', async () => {
    const [open, closed] = [
      await createFlow(db, [{ slug: 'a' }]),
      await createFlow(db, [{ slug: 'a' }]),
    ]
    await db.query('select pgflow_client.allow_start($1, $2)', [open, 'authenticated'])
    await db.query('select pgflow_client.allow_start($1, $2)', ['not_there_yet', 'authenticated'])
    const answer = { flow_count: 2, startable: { anon: 0, authenticated: 1 } }
    expect(await ask(ada)).toMatchObject({ ...answer, role: 'authenticated', flows: [open] })
    expect(await ask(anon)).toMatchObject({ ...answer, role: 'anon', flows: [] })
    expect(await ask(service)).toMatchObject({ ...answer, flows: [open, closed].sort() })
  })

  it('counts problems for everybody and returns them to service_role alone', async () => {
    await db.exec('alter table pgflow.runs disable trigger pinia_pgflow_run_change')
    expect(await ask(ada)).toMatchObject({ problem_count: 1, problems: null })
    expect(await ask(service)).toMatchObject({
      problem_count: 1,
      problems: [expect.stringContaining('pinia_pgflow_run_change')],
    })
    await db.exec('alter table pgflow.runs enable trigger pinia_pgflow_run_change')
  })
})
