import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { getAuthSchemaSql, SUPABASE_AUTH_HELPERS_SQL } from '@supabase/lite'
import { readArchive, type PreparedFile } from './prepared-files.ts'

/** How far a fresh database is prepared; each level includes those before it. */
export type PreparedLevel = 'platform' | 'pgflow' | 'full'

// Not `new URL(…, import.meta.url)`: bundlers take that for an asset of the page.
const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../..')
const require = createRequire(import.meta.url)

/** Beside other build output, so that a fresh install begins anew. */
export const defaultCacheDir = join(root, 'node_modules/.cache/pinia-pgflow')

/** One piece of SQL on the way to a prepared database. */
export interface Script {
  name: string
  sql: string
}

/** Every SQL file that makes a database of this level, in the order they run. */
export async function collectScripts(level: PreparedLevel): Promise<Script[]> {
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
  const withPgflow = [...platform, ...(await readFolder(pgflow)).filter(isWanted)]
  if (level === 'pgflow') return withPgflow
  return [...withPgflow, ...(await readFolder(join(root, 'supabase/migrations')))]
}

/**
 * pgflow's releases only ever add migrations, so the first of them are an older pgflow:
 * PGFLOW_UP_TO=20251006073122 is 0.7.
 */
function isWanted({ name }: Script): boolean {
  const { PGFLOW_UP_TO: last } = process.env
  return !last || name <= `${last}~`
}

async function readFolder(folder: string): Promise<Script[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  return Promise.all(
    names.map(async (name) => ({ name, sql: await readFile(join(folder, name), 'utf8') })),
  )
}

/** A database as it was after its scripts, and its schema as the REST layer sees it. */
export interface Prepared {
  files: readonly PreparedFile[]
  schema: string
}

/** What this process has read already, by file. */
const read = new Map<string, Prepared>()

/** Whether an earlier run prepared this level, without reading its 40 MB. */
export async function isPrepared(
  level: PreparedLevel = 'full',
  cacheDir: string = defaultCacheDir,
): Promise<boolean> {
  // The archive is the last that is written.
  const archive = `${await fileFor(cacheDir, await collectScripts(level))}.tar`
  return stat(archive).then(
    () => true,
    () => false,
  )
}

/** Looks for what an earlier run prepared. */
export async function findPrepared(
  cacheDir: string,
  scripts: readonly Script[],
): Promise<{ file: string; prepared: Prepared | undefined }> {
  const file = await fileFor(cacheDir, scripts)
  let prepared = read.get(file)
  if (prepared) return { file, prepared }
  try {
    const [archive, schema] = await Promise.all([
      readFile(`${file}.tar`),
      readFile(`${file}.json`, 'utf8'),
    ])
    prepared = { files: readArchive(archive), schema }
    read.set(file, prepared)
    return { file, prepared }
  } catch {
    return { file, prepared: undefined }
  }
}

/** A change in scripts or engine makes it another file. */
async function fileFor(cacheDir: string, scripts: readonly Script[]): Promise<string> {
  const hash = createHash('sha256')
  for (const name of ['@electric-sql/pglite', '@electric-sql/pglite-pgmq', '@supabase/lite']) {
    hash.update(`${name}@${await versionOf(name)}\n`)
  }
  for (const { name, sql } of scripts) hash.update(`${name}\n${sql}\n`)
  return join(cacheDir, hash.digest('hex').slice(0, 24))
}

async function versionOf(packageName: string): Promise<string> {
  const folder = join(root, 'node_modules', packageName, 'package.json')
  const { version } = JSON.parse(await readFile(folder, 'utf8')) as { version: string }
  return version
}

/** Keeps a prepared database for the next run, and for this process. */
export async function keepPrepared(
  file: string,
  { data, schema }: { data: Blob; schema: string },
): Promise<Prepared> {
  const archive = new Uint8Array(await data.arrayBuffer())
  await mkdir(dirname(file), { recursive: true })
  await put(`${file}.json`, schema)
  await put(`${file}.tar`, archive)
  // Another process may be at it too.
  await prune(dirname(file)).catch(() => undefined)
  const prepared = { files: readArchive(archive), schema }
  read.set(file, prepared)
  return prepared
}

/** Written beside and renamed: several processes may prepare the same database at once. */
async function put(file: string, content: string | Uint8Array): Promise<void> {
  const partial = `${file}.${process.pid}`
  await writeFile(partial, content)
  await rename(partial, file)
}

/** Each is 40 MB, and every change to the SQL makes another: only the newest few are kept. */
const keptDatabases = 6

async function prune(cacheDir: string): Promise<void> {
  const names = (await readdir(cacheDir)).filter((name) => name.endsWith('.tar'))
  const aged = await Promise.all(
    names.map(async (name) => ({ name, time: (await stat(join(cacheDir, name))).mtimeMs })),
  )
  const old = aged.sort((one, other) => other.time - one.time).slice(keptDatabases)
  for (const { name } of old) {
    await rm(join(cacheDir, name), { force: true })
    await rm(join(cacheDir, name.replace(/tar$/, 'json')), { force: true })
  }
}
