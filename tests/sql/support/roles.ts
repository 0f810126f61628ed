import type { Database, Queryable } from './database.ts'

/** Who PostgREST says is calling. */
export interface Caller {
  role: 'anon' | 'authenticated' | 'service_role'
  /** The signed-in user's id. */
  sub?: string
}

/** Runs `work` in a transaction as PostgREST would for this caller, and commits it. */
export function asCaller<T>(
  db: Database,
  caller: Caller,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  return db.transaction(async (tx) => {
    await tx.query(
      `select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)`,
      [caller.role, JSON.stringify(caller)],
    )
    return work(tx)
  })
}

export const anon: Caller = { role: 'anon' }
