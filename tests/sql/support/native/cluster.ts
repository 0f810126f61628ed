import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectScripts } from '../../../../playground/backend/prepared.ts'
import pg from 'pg'
import { completeBinaries, loadPostgres } from './binaries.ts'

export const levels = ['platform', 'pgflow', 'full'] as const
const password = 'postgres'

/** A database from which others are copied, prepared to this level. */
export const templateOf = (level: string): string => `prepared_${level}`

/** A client for a database of the cluster on this port; it is not connected yet. */
export function createClient(port: number, database: string) {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database })
  // A session that is ended from outside fails its queries, and that is enough.
  client.on('error', ignore)
  return client
}

/** Starts a native Postgres with the prepared databases; it lives until `stop`. */
export async function startCluster(): Promise<{ port: number; stop: () => Promise<void> }> {
  await completeBinaries()
  const EmbeddedPostgres = await loadPostgres()
  const port = await freePort()
  const cluster = new EmbeddedPostgres({
    databaseDir: join(tmpdir(), `pinia-pgflow-postgres-${randomUUID()}`),
    port,
    password,
    persistent: false,
    // Postgres does not run as root.
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: [
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
      ...['-c', 'fsync=off', '-c', 'max_connections=120', '-c', 'jit=off'],
      // Tells in which order transactions committed.
      ...['-c', 'track_commit_timestamp=on'],
    ],
    onLog: ignore,
    onError: ignore,
  })
  await cluster.initialise()
  await cluster.start()
  try {
    await prepareTemplates(port)
  } catch (error) {
    await cluster.stop()
    throw error
  }
  return { port, stop: () => cluster.stop() }
}

/** Each level is a copy of the one before it and what it adds. */
async function prepareTemplates(port: number): Promise<void> {
  let done = 0
  let before = 'template1'
  for (const level of levels) {
    const scripts = await collectScripts(level)
    await onDatabase(port, 'postgres', `create database ${templateOf(level)} template ${before}`)
    for (const script of scripts.slice(done)) {
      await onDatabase(port, templateOf(level), script.sql)
    }
    done = scripts.length
    before = templateOf(level)
  }
}

/** Runs SQL in a session of its own. */
export async function onDatabase(port: number, database: string, sql: string): Promise<void> {
  const client = createClient(port, database)
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

function ignore(): void {
  // Postgres logs what the tests provoke on purpose; what matters reaches them as an error.
}
