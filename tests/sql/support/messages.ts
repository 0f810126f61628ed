import type { Queryable } from './database.ts'

export type Payload = Record<string, unknown>

/** A row of realtime.messages, as a client would hear it. */
export interface Message {
  topic: string
  event: string
  private: boolean
  payload: Payload
}

/** The broadcasts of one run, in the order in which they were sent. */
export async function messagesOf(db: Queryable, runId: string): Promise<Message[]> {
  return messagesOn(db, `pgflow:run:${runId}`)
}

/** The broadcasts on one channel, in the order in which they were sent. */
export async function messagesOn(db: Queryable, topic: string): Promise<Message[]> {
  return db.query<Message>(
    `select topic, event, private, payload - 'id' as payload
     from realtime.messages join test.sent using (id)
     where topic = $1 order by position`,
    [topic],
  )
}

export async function eventsOf(db: Queryable, runId: string): Promise<string[]> {
  return (await messagesOf(db, runId)).map((message) => message.event)
}

/** What get_run_with_states tells, read as the database owner. */
export interface Snapshot {
  run: Payload
  steps: Payload[]
  seq: number
}

export async function snapshotOf(db: Queryable, runId: string): Promise<Snapshot | undefined> {
  const rows = await db.query<Snapshot>(
    'select run, steps, seq::float8 from pgflow_client.get_run_with_states($1)',
    [runId],
  )
  return rows[0]
}
