import { PGlite, type Transaction } from '@electric-sql/pglite'
import { pgmq } from '@electric-sql/pglite-pgmq'
import { createPgliteConnection, type PgliteConnection } from '@supabase/lite/pglite'
import {
  collectScripts,
  defaultCacheDir,
  findPrepared,
  keepPrepared,
  type Prepared,
  type PreparedLevel,
  type Script,
} from './prepared.ts'
import { PreparedMemory } from './prepared-files.ts'
import { allowErrorsAsWarnings } from './process-warnings.ts'
import { createTurns, TurnsEnded } from './turns.ts'

export type { PreparedLevel }

/** What can run one statement: the database itself, or a transaction on it. */
export interface Queryable {
  query<Row = Record<string, unknown>>(sql: string, params?: unknown[]): Promise<Row[]>
  exec(sql: string): Promise<void>
}

/**
 * The embedded Postgres. PGlite has a single connection, and `@supabase/lite` sends `begin` and
 * `commit` over it as ordinary statements: whatever else ran in between would run inside that
 * transaction, under that caller's role. So everyone takes turns through `exclusive`.
 */
export interface Database extends Queryable {
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  /** Keeps the connection for `work`, which may use only the raw `connection`. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /** Calls `onNotify` after each commit that notified `channel`; resolves to its undo. */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>
  readonly connection: PgliteConnection
  /** Ends with the statement under way; those that wait are refused with `TurnsEnded`. */
  close(): Promise<void>
}

/** The default of 128 MB is touched page by page at every boot; what is not here is in memory too. */
const sharedBuffers = '8MB'

export interface DatabaseOptions {
  /** Default `full`: Supabase's own schemas, pgmq, pgflow and this project's migration. */
  level?: PreparedLevel
  /** Where prepared data directories are kept. Default `node_modules/.cache/pinia-pgflow`. */
  cacheDir?: string
}

/**
 * Opens an embedded Postgres in memory. The first call on a machine runs every migration and keeps
 * the data directory; later calls restore it, which is many times faster.
 */
export async function openDatabase(options: DatabaseOptions = {}): Promise<Database> {
  allowErrorsAsWarnings()
  const { level = 'full', cacheDir = defaultCacheDir } = options
  const connection = await connect(await prepare(level, cacheDir))
  await connection.driver.exec(createPartitions)
  return wrap(connection)
}

/** Each level goes on from the one before it. */
const levelBefore = { platform: null, pgflow: 'platform', full: 'pgflow' } as const

async function prepare(level: PreparedLevel, cacheDir: string): Promise<Prepared> {
  const scripts = await collectScripts(level)
  const { file, prepared } = await findPrepared(cacheDir, scripts)
  if (prepared) return prepared
  const before = levelBefore[level]
  const done = before ? await collectScripts(before) : []
  const connection = await connect(before ? await prepare(before, cacheDir) : undefined)
  for (const script of scripts.slice(done.length)) await runScript(connection, script)
  // What a boot on the same day would do again, and a restore would have to recover.
  await connection.driver.exec(createPartitions)
  await connection.driver.exec('checkpoint')
  const schema = JSON.stringify(await connection.introspect())
  const data = await connection.driver.dumpDataDir('none')
  await connection.close()
  return keepPrepared(file, { data, schema })
}

const createPartitions = 'select realtime.stand_in_create_partitions()'

function connect(prepared: Prepared | undefined): Promise<PgliteConnection> {
  return createPgliteConnection({
    url: 'memory://',
    schemaCache: createSchemaCache(prepared?.schema),
    pgliteOptions: {
      extensions: { pgmq },
      startParams: [...PGlite.defaultStartParams, '-c', `shared_buffers=${sharedBuffers}`],
      ...(prepared && { fs: new PreparedMemory(prepared.files) }),
    },
  })
}

async function runScript(connection: PgliteConnection, script: Script): Promise<void> {
  try {
    await connection.driver.exec(script.sql)
  } catch (cause) {
    throw new Error(`The embedded database could not run ${script.name}`, { cause })
  }
}

/** What the REST layer knows of the schema, from the preparation until the first change. */
function createSchemaCache(prepared: string | undefined) {
  let current = prepared
  return {
    get: () => Promise.resolve(current),
    set: (_key: string, schema: string) => {
      current = schema
      return Promise.resolve()
    },
    delete: () => {
      current = undefined
      return Promise.resolve()
    },
  }
}

function wrap(connection: PgliteConnection): Database {
  const { driver } = connection
  const turns = createTurns()
  const exclusive = <T>(work: () => Promise<T>) => turns.take(work)
  return {
    connection,
    exclusive,
    query: (sql, params) => exclusive(() => queryable(driver).query(sql, params)),
    exec: (sql) => exclusive(() => queryable(driver).exec(sql)),
    transaction: (work) => exclusive(() => driver.transaction((tx) => work(queryable(tx)))),
    async listen(channel, onNotify) {
      const undo = await exclusive(() => driver.listen(channel, onNotify))
      return () => exclusive(() => undo()).catch(unlessEnded)
    },
    async close() {
      await turns.end()
      await connection.close()
    },
  }
}

/** A database that closes has nobody left who listens. */
function unlessEnded(error: unknown): void {
  if (!(error instanceof TurnsEnded)) throw error
}

function queryable(target: Pick<Transaction, 'query' | 'exec'>): Queryable {
  return {
    query: async <Row>(sql: string, params?: unknown[]) =>
      (await target.query<Row>(sql, params)).rows,
    exec: async (sql) => {
      await target.exec(sql)
    },
  }
}
