import type { Database, Queryable } from '../database.ts'
import type { Claims } from '../keys.ts'

/** Who asks for what; everything a policy on `realtime.messages` may look at. */
export interface Access {
  topic: string
  claims: Claims
  headers: Record<string, string>
}

/**
 * Decides private channels by row level security alone, like the real server: in a transaction
 * that is always rolled back, with a probe row that carries nothing but topic and extension.
 */
export interface Authorization {
  canRead(access: Access): Promise<boolean>
  canWrite(access: Access): Promise<boolean>
}

export function createAuthorization(db: Database): Authorization {
  return {
    canRead: (access) =>
      rolledBack(db, async (tx) => {
        const [probe] = await tx.query<{ id: string }>(
          `insert into realtime.messages (topic, extension) values ($1, 'broadcast') returning id`,
          [access.topic],
        )
        await become(tx, access)
        const visible = await tx.query('select 1 from realtime.messages where id = $1', [probe?.id])
        return visible.length > 0
      }),
    canWrite: (access) =>
      rolledBack(db, async (tx) => {
        await become(tx, access)
        await tx.query(
          `insert into realtime.messages (topic, extension) values ($1, 'broadcast')`,
          [access.topic],
        )
        return true
      }),
  }
}

/** Takes the caller's role and identity until the end of the transaction. */
async function become(tx: Queryable, { topic, claims, headers }: Access): Promise<void> {
  const settings = {
    role: claims.role,
    'realtime.topic': topic,
    'request.jwt.claims': JSON.stringify(claims),
    'request.jwt.claim.sub': claims.sub ?? '',
    'request.jwt.claim.role': claims.role,
    'request.headers': JSON.stringify(headers),
  }
  await tx.query(
    'select set_config(name, value, true) from unnest($1::text[], $2::text[]) as s (name, value)',
    [Object.keys(settings), Object.values(settings)],
  )
}

/** Thrown to leave the transaction: an answer, not a failure. */
class Rollback extends Error {
  readonly allowed: boolean

  constructor(allowed: boolean) {
    super('rolled back')
    this.allowed = allowed
  }
}

/** Runs `probe` and undoes it; an error, such as a policy that fails or an unknown role, is a no. */
async function rolledBack(
  db: Database,
  probe: (tx: Queryable) => Promise<boolean>,
): Promise<boolean> {
  try {
    return await db.transaction(async (tx) => {
      throw new Rollback(await probe(tx))
    })
  } catch (outcome) {
    return outcome instanceof Rollback && outcome.allowed
  }
}
