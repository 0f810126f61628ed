import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** What `supabase init` writes, as far as it matters here. */
export const configToml = `# For detailed configuration reference documentation, visit:
# https://supabase.com/docs/guides/local-development/cli/config
project_id = "shop"

[api]
enabled = true
port = 54321
# Schemas to expose in your API.
schemas = ["public", "graphql_public"] # the default
extra_search_path = ["public", "extensions"]
max_rows = 1000

[db]
port = 54322
`

/** A migration that stands for those of pgflow where what is in them does not matter. */
export const somePgflow = 'create schema if not exists pgflow;\n'

/** A folder of its own for one test. */
export interface Folder {
  path: string
  write(file: string, text: string): Promise<void>
  read(file: string): Promise<string>
  /** The names in `supabase/migrations`, sorted. */
  migrations(): Promise<string[]>
  remove(): Promise<void>
}

/** Makes a folder with these files. */
export async function makeFolder(files: Record<string, string> = {}): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'pinia-pgflow-cli-'))
  const write = async (file: string, text: string) => {
    await mkdir(dirname(join(path, file)), { recursive: true })
    await writeFile(join(path, file), text)
  }
  for (const [file, text] of Object.entries(files)) await write(file, text)
  return {
    path,
    write,
    read: (file) => readFile(join(path, file), 'utf8'),
    migrations: async () => (await readdir(join(path, 'supabase/migrations'))).sort(),
    remove: () => rm(path, { recursive: true, force: true }),
  }
}

/** The migrations of pgflow, or some of them, named as its installer names them at this time. */
export async function pgflowMigrations(
  now: number,
  isWanted: (name: string) => boolean = () => true,
): Promise<Record<string, string>> {
  const require = createRequire(import.meta.url)
  const source = join(
    dirname(require.resolve('@pgflow/core/package.json')),
    'dist/supabase/migrations',
  )
  const names = (await readdir(source)).filter((name) => name.endsWith('.sql') && isWanted(name))
  const files = await Promise.all(
    names.sort().map(async (name, index) => {
      const stamp = stampOf(now + index * 1000)
      const text = await readFile(join(source, name), 'utf8')
      return [`supabase/migrations/${stamp}_${name}`, text] as const
    }),
  )
  return Object.fromEntries(files)
}

/** A time as migrations are stamped with it. */
export function stampOf(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace(/[-:T]/g, '')
}
