import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parse } from '@decimalturn/toml-patch'
import { pgflowMigrations } from '../../cli/support/folder.ts'
import { run } from './command.ts'
import { addPackage } from './folders.ts'

/** Its npm package brings the binary along; what it is asked for here needs no Docker. */
const cliVersion = '3.1.0'

/** A folder that Supabase's own CLI has made a project. */
export interface SupabaseProject {
  app: string
  /** The names of its migrations, as a directory sorts them. */
  migrations(): Promise<string[]>
  addMigration(name: string, sql: string): Promise<void>
  /** What `npx pgflow install` does to the folder, with that time on the clock of its user. */
  installPgflow(localTime: number, isWanted?: (name: string) => boolean): Promise<void>
  /** `npx pinia-pgflow …` */
  piniaPgflow(...args: string[]): Promise<string>
  /** `npx supabase migration new`; the name of the file. */
  newMigration(name: string): Promise<string>
  /** `npx supabase migration up` on this database. @throws where a migration fails */
  migrateUp(database: string): Promise<string>
  /** The schemas that `config.toml` exposes. */
  exposed(): Promise<string[]>
}

/**
 * Calls `supabase init` in a folder.
 * @param folder where packages are installed
 * @param installed the app that has ours
 */
export async function initProject(
  app: string,
  { folder, installed }: { folder: string; installed: string },
): Promise<SupabaseProject> {
  const place = await addPackage(folder, 'supabase-cli', `supabase@${cliVersion}`)
  const cli = join(place, 'node_modules/supabase/dist/supabase.js')
  const supabase = (...args: string[]) =>
    run([process.execPath, cli, ...args], app, { SUPABASE_TELEMETRY_DISABLED: '1' })
  await mkdir(app, { recursive: true })
  await supabase('init')

  const migrationsFolder = join(app, 'supabase/migrations')
  const config = join(app, 'supabase/config.toml')
  const migrations = async () => (await readdir(migrationsFolder)).sort()
  return {
    app,
    migrations,
    async addMigration(name, sql) {
      await mkdir(migrationsFolder, { recursive: true })
      await writeFile(join(migrationsFolder, name), sql)
    },
    async installPgflow(localTime, isWanted) {
      for (const [file, text] of Object.entries(await pgflowMigrations(localTime, isWanted))) {
        await mkdir(dirname(join(app, file)), { recursive: true })
        await writeFile(join(app, file), text)
      }
      await copyFile(config, `${config}.backup`)
      const text = await readFile(config, 'utf8')
      await writeFile(config, text.replace(/(\[db\.pooler\]\nenabled = )false/, '$1true'))
    },
    piniaPgflow: (...args) =>
      run([process.execPath, join(installed, 'node_modules/.bin/pinia-pgflow'), ...args], app),
    async newMigration(name) {
      await supabase('migration', 'new', name)
      const made = (await migrations()).find((file) => file.endsWith(`_${name}.sql`))
      if (made === undefined) throw new Error(`supabase migration new did not make ${name}`)
      return made
    },
    migrateUp: (database) => supabase('migration', 'up', '--yes', `--remote=${database}`),
    async exposed() {
      const { api } = parse(await readFile(config, 'utf8')) as { api: { schemas: string[] } }
      return api.schemas
    },
  }
}

/** The text of all migrations, in the order of their names. */
export async function readMigrations(project: SupabaseProject): Promise<string[]> {
  const folder = join(project.app, 'supabase/migrations')
  const names = await project.migrations()
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
}
