import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError, codeOf, messageOf } from '../errors.ts'

/** A file in `supabase/migrations` that Supabase's CLI runs. */
export interface Migration {
  /** The name of the file. */
  name: string
  /** Which version of ours is in it; null where it is none of ours. */
  version: string | null
  /** Whether something of pgflow itself is in it. */
  isPgflow: boolean
  /** Its text, without differences that editors and Git cause. */
  text: string
}

/**
 * Recognised whatever its name is: it may have been renamed, squashed or dumped from a database.
 */
const ours = /function\s+"?pgflow_realtime"?\s*\.\s*"?version"?\s*\(\s*\)[^;]*?'([^'\n]{1,40})'/i

/** The definitions of pgflow's own objects, as in its migrations. */
const pgflowObjects = [
  /\bcreate\s+schema\s+(if\s+not\s+exists\s+)?"?pgflow"?\s*(;|authorization)/i,
  /\bcreate\s+(or\s+replace\s+)?(function|procedure|view)\s+"?pgflow"?\s*\.\s*(?!"?pinia_pgflow)/i,
  /\b(create|alter)\s+table\s+(if\s+(not\s+)?exists\s+)?(only\s+)?"?pgflow"?\s*\.\s*"?(flows|steps|deps|runs|step_states|step_tasks|workers)\b/i,
]

/** How pgflow's installer names its migrations: a stamp, then the original name. */
const pgflowName = /^\d+_\d{14}_pgflow_/

/**
 * The migrations of a folder in the order in which Supabase's CLI runs them; none where there is no
 * such folder.
 * @throws CliError when the folder or a file in it cannot be read
 */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw unreadable(folder, error)
  })
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name)
  // In the order of bytes, as Supabase's CLI runs them.
  const migrations = names.filter((name) => /^\d+_.*\.sql$/.test(name)).sort()
  return Promise.all(migrations.map((name) => readMigration(folder, name)))
}

async function readMigration(folder: string, name: string): Promise<Migration> {
  const path = join(folder, name)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unreadable(path, error)
  })
  const version = ours.exec(text)?.[1] ?? null
  const isPgflow = pgflowName.test(name) || pgflowObjects.some((pattern) => pattern.test(text))
  return { name, version, isPgflow, text: normalized(text) }
}

/** A text without byte order mark, with plain line ends, and without blanks at its end. */
export function normalized(text: string): string {
  return text
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n')
    .trimEnd()
}

function unreadable(path: string, cause: unknown): CliError {
  return new CliError(
    `Cannot read ${path}: ${messageOf(cause)}`,
    'Give yourself the right to read it, or put back what should be there; then run this again.',
    { cause },
  )
}
