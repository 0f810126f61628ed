import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Transaction } from '@electric-sql/pglite'
import { pgmq } from '@electric-sql/pglite-pgmq'
import { getAuthSchemaSql, SUPABASE_AUTH_HELPERS_SQL } from '@supabase/lite'
import { createPgliteConnection, type PgliteConnection } from '@supabase/lite/pglite'

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
  close(): Promise<void>
}

/** How far a fresh database is prepared; each level includes those before it. */
export type PreparedLevel = 'platform' | 'pgflow' | 'full'

export interface DatabaseOptions {
  /** Default `full`: Supabase's own schemas, pgmq, pgflow and this project's migration. */
  level?: PreparedLevel
  /** Where prepared data directories are kept. Default `node_modules/.cache/pinia-pgflow`. */
  cacheDir?: string
}

// Not `new URL(…, import.meta.url)`: bundlers take that for an asset of the page.
const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../..')
const require = createRequire(import.meta.url)
const defaultCacheDir = join(root, 'node_modules/.cache/pinia-pgflow')

/**
 * Opens an embedded Postgres in memory. The first call on a machine runs every migration and keeps
 * the data directory; later calls restore it, which is about eight times faster.
 */
export async function openDatabase(options: DatabaseOptions = {}): Promise<Database> {
  const level = options.level ?? 'full'
  const scripts = await collectScripts(level)
  const snapshot = await readPrepared(options.cacheDir ?? defaultCacheDir, scripts)
  const connection = await createPgliteConnection({
    url: 'memory://',
    pgliteOptions: { extensions: { pgmq }, ...(snapshot.data && { loadDataDir: snapshot.data }) },
  })
  if (!snapshot.data) {
    for (const script of scripts) await runScript(connection, script)
    await keepPrepared(snapshot.file, await connection.driver.dumpDataDir('none'))
  }
  await connection.driver.exec('select realtime.stand_in_create_partitions()')
  return wrap(connection)
}

interface Script {
  name: string
  sql: string
}

/** Every SQL file that makes a database of this level, in the order they run. */
async function collectScripts(level: PreparedLevel): Promise<Script[]> {
  const pgflow = join(
    dirname(require.resolve('@pgflow/core/package.json')),
    'dist/supabase/migrations',
  )
  const platform: Script[] = [
    ...(await readFolder(join(here, 'platform'))),
    { name: 'auth schema', sql: getAuthSchemaSql() },
    { name: 'auth helpers', sql: SUPABASE_AUTH_HELPERS_SQL },
    // Functions such as auth.uid() are for everyone, as on Supabase; the tables stay closed.
    { name: 'auth usage', sql: 'grant usage on schema auth to anon, authenticated, service_role;' },
    { name: 'pgmq', sql: 'create schema pgmq; create extension pgmq with schema pgmq;' },
  ]
  if (level === 'platform') return platform
  const withPgflow = [...platform, ...(await readFolder(pgflow))]
  if (level === 'pgflow') return withPgflow
  return [...withPgflow, ...(await readFolder(join(root, 'supabase/migrations')))]
}

async function readFolder(folder: string): Promise<Script[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name) => ({ name, sql: await readFile(join(folder, name), 'utf8') })),
  )
}

async function runScript(connection: PgliteConnection, script: Script): Promise<void> {
  try {
    await connection.driver.exec(script.sql)
  } catch (cause) {
    throw new Error(`The embedded database could not run ${script.name}`, { cause })
  }
}

async function readPrepared(cacheDir: string, scripts: Script[]) {
  const hash = createHash('sha256')
  for (const name of ['@electric-sql/pglite', '@electric-sql/pglite-pgmq']) {
    hash.update(`${name}@${await versionOf(name)}\n`)
  }
  for (const { name, sql } of scripts) hash.update(`${name}\n${sql}\n`)
  const file = join(cacheDir, `${hash.digest('hex').slice(0, 24)}.tar`)
  try {
    return { file, data: new Blob([await readFile(file)]) }
  } catch {
    return { file, data: undefined }
  }
}

async function versionOf(packageName: string): Promise<string> {
  const folder = join(root, 'node_modules', packageName, 'package.json')
  const { version } = JSON.parse(await readFile(folder, 'utf8')) as { version: string }
  return version
}

/** Written beside and renamed: several processes may prepare the same database at once. */
async function keepPrepared(file: string, data: Blob): Promise<void> {
  const partial = `${file}.${process.pid}`
  await mkdir(dirname(file), { recursive: true })
  await writeFile(partial, new Uint8Array(await data.arrayBuffer()))
  await rename(partial, file)
}

function wrap(connection: PgliteConnection): Database {
  const { driver } = connection
  const exclusive = createMutex()
  return {
    connection,
    exclusive,
    query: (sql, params) => exclusive(() => queryable(driver).query(sql, params)),
    exec: (sql) => exclusive(() => queryable(driver).exec(sql)),
    transaction: (work) => exclusive(() => driver.transaction((tx) => work(queryable(tx)))),
    async listen(channel, onNotify) {
      const undo = await exclusive(() => driver.listen(channel, onNotify))
      return () => exclusive(() => undo())
    },
    close: () => exclusive(() => connection.close()),
  }
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

/** First come, first served; a failed turn does not stop the next. */
function createMutex(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work, work)
    last = turn.catch(() => undefined)
    return turn
  }
}
