import type { TestDatabase, Queryable } from './database.ts'

/** Who PostgREST says is calling. */
export interface Caller {
  role: 'anon' | 'authenticated' | 'service_role'
  /** The signed-in user's id. */
  sub?: string
}

/** Runs `work` in a transaction as PostgREST would for this caller, and commits it. */
export function asCaller<T>(
  db: TestDatabase,
  caller: Caller,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  return db.transaction(async (tx) => {
    await become(tx, caller)
    return work(tx)
  })
}

/** Takes the caller's role and identity until the end of the transaction. */
export async function become(tx: Queryable, caller: Caller): Promise<void> {
  await tx.query(
    `select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)`,
    [caller.role, JSON.stringify(caller)],
  )
}

export const anon: Caller = { role: 'anon' }

/** What Realtime finds out before it lets a caller join a private channel, and takes back. */
export async function mayListen(db: TestDatabase, caller: Caller, topic: string): Promise<boolean> {
  return rolledBack(db, async (tx) => {
    const [probe] = await tx.query<{ id: string }>(
      `insert into realtime.messages (topic, extension) values ($1, 'broadcast') returning id`,
      [topic],
    )
    await becomeListener(tx, caller, topic)
    const rows = await tx.query('select from realtime.messages where id = $1', [probe?.id])
    return rows.length > 0
  })
}

/** What Realtime finds out before it lets a caller send on a private channel, and takes back. */
export async function maySend(db: TestDatabase, caller: Caller, topic: string): Promise<boolean> {
  return rolledBack(db, async (tx) => {
    await becomeListener(tx, caller, topic)
    await tx.query(`insert into realtime.messages (topic, extension) values ($1, 'broadcast')`, [
      topic,
    ])
    return true
  }).catch((error: unknown) => {
    if (error instanceof Error && error.message.includes('row-level security')) return false
    throw error
  })
}

async function becomeListener(tx: Queryable, caller: Caller, topic: string): Promise<void> {
  await tx.query(
    `select set_config('request.jwt.claim.sub', $1, true), set_config('realtime.topic', $2, true)`,
    [caller.sub ?? '', topic],
  )
  await become(tx, caller)
}

async function rolledBack(db: TestDatabase, work: (tx: Queryable) => Promise<boolean>) {
  let answer = false
  const rollback = new Error('rolled back on purpose')
  await db
    .transaction(async (tx) => {
      answer = await work(tx)
      throw rollback
    })
    .catch((error: unknown) => {
      if (error !== rollback) throw error
    })
  return answer
}
