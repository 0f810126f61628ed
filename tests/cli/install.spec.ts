import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openTestDatabase } from '../sql/support/database.ts'
import { firstEdition, install as ours } from '../sql/support/migration.ts'
import { call } from './support/call.ts'
import {
  configToml,
  makeFolder,
  pgflowMigrations,
  somePgflow,
  stampOf,
  type Folder,
} from './support/folder.ts'

const now = Date.UTC(2027, 0, 31, 23, 59, 58)
const name = '20270131235958_pinia_pgflow_0_1_0.sql'
const pgflowFile = 'supabase/migrations/20270101000000_20250429164909_pgflow_initial.sql'

const folders: Folder[] = []
async function make(files: Record<string, string> = {}) {
  const folder = await makeFolder(files)
  folders.push(folder)
  return folder
}
/** A folder as `supabase init` and pgflow's installer leave it. */
const makeProject = (files: Record<string, string> = {}) =>
  make({ 'supabase/config.toml': configToml, [pgflowFile]: somePgflow, ...files })
const install = (folder: Folder, ...options: string[]) =>
  call(['install', ...options], { cwd: folder.path, now: () => now })

afterEach(() => Promise.all(folders.splice(0).map((folder) => folder.remove())))

describe('a first installation', () => {
  it('adds the migration under a name with the version, and exposes the schema', async () => {
    const folder = await makeProject()
    const { code, out, err } = await install(folder)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(await folder.migrations()).toEqual([pgflowFile.split('/').at(-1), name])
    expect(await folder.read(`supabase/migrations/${name}`)).toBe(ours)
    expect(await folder.read('supabase/config.toml')).toBe(
      configToml.replace('"graphql_public"]', '"graphql_public", "pgflow_client"]'),
    )
    expect(out).toContain(`supabase/migrations/${name}: add the migration of pinia-pgflow 0.1.0`)
    expect(out).toContain('- schemas = ["public", "graphql_public"] # the default')
    expect(out).toContain('+ schemas = ["public", "graphql_public", "pgflow_client"] # the default')
    expect(out).toContain('npx supabase migration up')
    expect(out).toContain('allow_start')
  })

  it('writes nothing with --dry-run, and prints the same', async () => {
    const folder = await makeProject()
    const { code, out } = await install(folder, '--dry-run')
    expect(code).toBe(0)
    expect(out).toContain(`${name}: add the migration`)
    expect(out).toContain('+ schemas = ["public", "graphql_public", "pgflow_client"]')
    expect(out).toContain('Nothing was written')
    expect(await folder.migrations()).toHaveLength(1)
    expect(await folder.read('supabase/config.toml')).toBe(configToml)
  })

  it('finds the project from a folder inside of it', async () => {
    const folder = await makeProject({ 'app/src/main.ts': '' })
    const { code } = await call(['install'], { cwd: join(folder.path, 'app/src'), now: () => now })
    expect(code).toBe(0)
    expect(await folder.migrations()).toContain(name)
  })

  it('changes nothing when it is run again', async () => {
    const folder = await makeProject()
    await install(folder)
    const { code, out } = await install(folder)
    expect(code).toBe(0)
    expect(out).toContain(`${name}: the migration of pinia-pgflow 0.1.0 is there already.`)
    expect(out).toContain('the schema pgflow_client is exposed already')
    expect(out).toContain('All is current: there is nothing to do.')
    expect(await folder.migrations()).toHaveLength(2)
  })
})

describe('the stamp', () => {
  it.each([
    ['20270131235958', '20270131235959', 'one second past one of this second'],
    ['20270131235959', '20270201000000', 'the next day'],
    ['20280228235959', '20280229000000', 'a leap day'],
    ['20271231235959', '20280101000000', 'the next year'],
    ['20261231235959', '20270131235958', 'now, past an older one'],
    ['0007', '20270131235958', 'now, past one that only counts'],
    ['20270199999999', '20270200000000', 'the next number, past one that is no time'],
    ['5', '6', 'the next number, past one that sorts after every time'],
  ])('comes after %s: %s, %s', async (last, expected) => {
    const folder = await makeProject({ [`supabase/migrations/${last}_last.sql`]: 'select 1;' })
    expect(await install(folder)).toMatchObject({ code: 0 })
    const names = await folder.migrations()
    expect(names.at(-1)).toBe(`${expected}_pinia_pgflow_0_1_0.sql`)
  })

  it('is refused where nothing comes after the last one', async () => {
    const folder = await makeProject({ 'supabase/migrations/9_last.sql': 'select 1;' })
    const { code, err } = await install(folder)
    expect(code).toBe(1)
    expect(err).toContain('No migration can come after 9_last.sql')
    expect(await folder.migrations()).toHaveLength(2)
    expect(await folder.read('supabase/config.toml')).toBe(configToml)
  })

  it('reports a name that is ahead of the time, and the migration that comes after it', async () => {
    // As pgflow's installer leaves it nine hours east of Greenwich.
    const east = 'supabase/migrations/20270201085958_20250429164909_pgflow_initial.sql'
    const { out } = await install(await makeProject({ [east]: somePgflow }))
    expect(out).toContain('supabase/migrations/20270201085959_pinia_pgflow_0_1_0.sql: add')
    expect(out).toContain('Its time is 9 h from now')
    expect(out).toContain('such as supabase/migrations/20270201090000_allow_starts.sql:')
  })

  it('reports nothing of that where it is not ahead', async () => {
    const { out } = await install(await makeProject())
    expect(out).not.toContain('Its time is')
    expect(out).toContain('such as supabase/migrations/20270131235959_allow_starts.sql:')
  })

  it('of an upgrade in the same second is one second later', async () => {
    const folder = await makeProject()
    await install(folder)
    const file = `supabase/migrations/${name}`
    await folder.write(file, ours.replace("select '0.1.0';", "select '0.0.9';"))
    expect(await install(folder)).toMatchObject({ code: 0 })
    expect((await folder.migrations()).slice(-2)).toEqual([
      name,
      '20270131235959_pinia_pgflow_0_1_0.sql',
    ])
  })

  it('of two at once is written by one of them only', async () => {
    const folder = await makeProject()
    const [one, other] = await Promise.all([install(folder), install(folder)])
    // The second says so, or has read what the first wrote.
    expect(one.err + other.err).toMatch(/^$|wrote it just now/)
    expect(one.code + other.code).toBeLessThan(2)
    expect(await folder.migrations()).toHaveLength(2)
    expect(await folder.read(`supabase/migrations/${name}`)).toBe(ours)
  })

  it('passes over what Supabase does not run', async () => {
    const folder = await makeProject({
      'supabase/migrations/99999999999999.sql': '',
      'supabase/migrations/notes.md': '',
      'supabase/migrations/99999999999999_folder.sql/a.txt': '',
    })
    expect(await install(folder)).toMatchObject({ code: 0 })
    expect(await folder.migrations()).toContain(name)
  })
})

describe('an upgrade', () => {
  const old = 'supabase/migrations/20270102000000_pinia_pgflow.sql'

  it('of the first edition is a migration of its own, and the old one stays', async () => {
    const folder = await makeProject({ [old]: firstEdition })
    const { code, out } = await install(folder)
    expect(code).toBe(0)
    expect(out).toContain('as an upgrade: 20270102000000_pinia_pgflow.sql')
    expect(await folder.read(old)).toBe(firstEdition)
    expect(await folder.read(`supabase/migrations/${name}`)).toBe(ours)
  })

  it('of an older version reports which one that is, whatever the file is called', async () => {
    const renamed = 'supabase/migrations/20270102000000_workflows.sql'
    const folder = await makeProject({
      [renamed]: ours.replace("select '0.1.0';", "select '0.0.9';"),
    })
    const { out } = await install(folder)
    expect(out).toContain('as an upgrade: 20270102000000_workflows.sql is version 0.0.9')
  })

  it('is found in a dump of the database too', async () => {
    const dump = `CREATE SCHEMA IF NOT EXISTS "pgflow";
      CREATE OR REPLACE FUNCTION "pgflow_realtime"."version"() RETURNS "text"
        LANGUAGE "sql" IMMUTABLE AS $$ select '0.1.0'; $$;`
    const folder = await make({
      'supabase/config.toml': configToml,
      'supabase/migrations/20270101000000_remote_schema.sql': dump,
    })
    const { code, out } = await install(folder)
    expect(code).toBe(0)
    expect(out).toContain('20270101000000_remote_schema.sql is another edition of it')
  })

  it.each([
    ['carriage returns', (text: string) => text.replaceAll('\n', '\r\n')],
    ['a byte order mark', (text: string) => `\uFEFF${text}`],
    ['no line end at its end', (text: string) => text.trimEnd()],
  ])('is not needed for a copy with %s', async (_, change) => {
    const folder = await makeProject({ [old]: change(ours) })
    expect((await install(folder)).out).toContain('is there already')
    expect(await folder.migrations()).toHaveLength(2)
  })

  it('is refused where the copy is newer, and nothing is written', async () => {
    const newer = ours.replace("select '0.1.0';", "select '0.10.0';")
    const folder = await makeProject({ [old]: newer })
    const { code, err } = await install(folder)
    expect(code).toBe(1)
    expect(err).toContain('20270102000000_pinia_pgflow.sql is of pinia-pgflow 0.10.0')
    expect(err).toContain('npm install pinia-pgflow@latest')
    expect(await folder.migrations()).toHaveLength(2)
    expect(await folder.read('supabase/config.toml')).toBe(configToml)
  })

  it('of pgflow is followed by ours again', async () => {
    const later = 'supabase/migrations/20270103000000_20260101000000_pgflow_next.sql'
    const folder = await makeProject({ [old]: ours, [later]: 'select 1;' })
    const { out } = await install(folder)
    expect(out).toContain(
      'again\n  since pgflow was upgraded after 20270102000000_pinia_pgflow.sql',
    )
    expect((await folder.migrations()).at(-1)).toBe(name)
    expect((await install(folder)).out).toContain('All is current')
  })

  it('is not taken for what a project does with pgflow by itself', async () => {
    const own = `select pgflow.create_flow('a'); select pgflow_client.allow_start('a', 'anon');
      create policy mine on pgflow.runs for select using (true);
      select pgflow_realtime.version();`
    const folder = await makeProject({
      [old]: ours,
      'supabase/migrations/20270103000000_pinia_pgflow_flows.sql': own,
    })
    expect((await install(folder)).out).toContain('is there already')
    expect(await folder.migrations()).toHaveLength(3)
  })
})

describe('a folder that is not as it should be', () => {
  it('has no supabase folder', async () => {
    const { code, err } = await install(await make())
    expect(code).toBe(1)
    expect(err).toContain('There is no folder "supabase"')
    expect(err).toContain('Fix: Go to the folder of your project, or make it a Supabase project')
  })

  it('has a file in its place', async () => {
    const { code, err } = await install(await make({ supabase: 'a file' }))
    expect(code).toBe(1)
    expect(err).toContain('There is no folder "supabase"')
  })

  it('has no migration of pgflow, or no migrations at all', async () => {
    for (const file of ['supabase/config.toml', 'supabase/migrations/20270101000000_a.sql']) {
      const folder = await make({ [file]: '' })
      const { code, err } = await install(folder)
      expect(code).toBe(1)
      expect(err).toContain('There is no migration of pgflow')
      expect(err).toContain('Fix: Install pgflow first: npx pgflow@latest install')
      expect(await folder.read(file)).toBe('')
    }
  })

  it('has no config.toml: the migration is added, and how to expose the schema is printed', async () => {
    const folder = await make({ [pgflowFile]: somePgflow })
    const { code, out } = await install(folder)
    expect(code).toBe(0)
    expect(await folder.migrations()).toContain(name)
    expect(out).toContain(
      'There is no supabase/config.toml: expose the schema pgflow_client yourself',
    )
    await expect(folder.read('supabase/config.toml')).rejects.toThrow('ENOENT')
  })

  it('has a config.toml that is no TOML: nothing is written', async () => {
    const folder = await makeProject({ 'supabase/config.toml': '[api\nschemas = [' })
    const { code, err } = await install(folder)
    expect(code).toBe(1)
    expect(err).toMatch(/config\.toml cannot be read as TOML/)
    expect(await folder.migrations()).toHaveLength(1)
  })

  it('has a folder for config.toml, or a file for migrations', async () => {
    const folder = await make({ [pgflowFile]: somePgflow, 'supabase/config.toml/x': '' })
    const refused = await install(folder)
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/Cannot read .*config\.toml: EISDIR/)
    expect(await folder.migrations()).toHaveLength(1)

    const { code, err } = await install(await make({ 'supabase/migrations': 'a file' }))
    expect(code).toBe(1)
    expect(err).toMatch(/Cannot read .*migrations: ENOTDIR/)
  })
})

describe('in a folder laid out by the CLI of Supabase, with the migrations of pgflow of today', () => {
  it('ours sorts after them and applies', async () => {
    const today = Date.now()
    const pgflow = await pgflowMigrations(today)
    const folder = await make({ 'supabase/config.toml': configToml, ...pgflow })
    // Installed in the very second of the last migration of pgflow.
    const last = today + (Object.keys(pgflow).length - 1) * 1000
    const at = { cwd: folder.path, now: () => last }
    expect(await call(['install'], at)).toMatchObject({ code: 0 })
    const names = await folder.migrations()
    expect(names.at(-1)).toBe(`${stampOf(last + 1000)}_pinia_pgflow_0_1_0.sql`)
    expect(names).toHaveLength(Object.keys(pgflow).length + 1)

    const db = await openTestDatabase('platform')
    try {
      for (const file of names) {
        await db.exec(await readFile(join(folder.path, 'supabase/migrations', file), 'utf8'))
      }
      const [row] = await db.query<{ problems: string[] }>(
        `select pgflow_realtime.status() -> 'problems' as problems`,
      )
      expect(row).toEqual({ problems: [] })
    } finally {
      await db.close()
    }
  })
})
