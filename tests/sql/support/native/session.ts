import { randomUUID } from 'node:crypto'
import type { PreparedLevel, Queryable, TestDatabase } from '../database.ts'
import { createClient, onDatabase, templateOf } from './cluster.ts'

type Client = ReturnType<typeof createClient>

/** One more connection to a database, as a worker or a second API request has. */
export interface Session extends Queryable {
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** A database of its own in the native cluster. */
export interface NativeDatabase extends TestDatabase {
  connect(): Promise<Session>
}

/** Copies the prepared database of this level; closing drops the copy. */
export async function openNative(port: number, level: PreparedLevel): Promise<NativeDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await onDatabase(port, 'postgres', `create database ${name} template ${templateOf(level)}`)
  const session = await openSession(port, name)
  await session.exec('select realtime.stand_in_create_partitions()')
  return {
    ...session,
    connect: () => openSession(port, name),
    async close() {
      await session.close()
      await onDatabase(port, 'postgres', `drop database ${name} with (force)`)
    },
  }
}

async function openSession(port: number, database: string): Promise<Session> {
  const client = createClient(port, database)
  await client.connect()
  const queryable = wrap(client)
  // One connection, so a transaction and what runs beside it take turns.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work)
    last = turn.catch(() => undefined)
    return turn
  }
  return {
    query: (sql, params) => inTurn(() => queryable.query(sql, params)),
    exec: (sql) => inTurn(() => queryable.exec(sql)),
    transaction: (work) => inTurn(() => inTransaction(queryable, work)),
    close: () => inTurn(() => client.end()),
  }
}

async function inTransaction<T>(on: Queryable, work: (tx: Queryable) => Promise<T>): Promise<T> {
  await on.exec('begin')
  try {
    const result = await work(on)
    await on.exec('commit')
    return result
  } catch (error) {
    await on.exec('rollback')
    throw error
  }
}

function wrap(client: Client): Queryable {
  return {
    async query<Row>(sql: string, params?: unknown[]) {
      // The caller knows its own SQL.
      const { rows }: { rows: unknown } = await client.query(sql, params)
      return rows as Row[]
    },
    async exec(sql) {
      await client.query(sql)
    },
  }
}
