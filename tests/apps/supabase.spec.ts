import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { firstEdition } from '../sql/support/migration.ts'
import { createClient, onDatabase, startCluster } from '../sql/support/native/cluster.ts'
import { launchChromium } from '../browser/support/chromium.ts'
import { stampOf } from '../cli/support/folder.ts'
import { AnalyzeText } from '../types/support/prelude.ts'
import { installApp, makeFolder, pack, removeFolder } from './support/folders.ts'
import { openGateway } from './support/gateway.ts'
import { startAndFollow, writeReadme } from './support/readme-app.ts'
import { initProject, readMigrations, type SupabaseProject } from './support/supabase-project.ts'

/**
 * A project that Supabase's own CLI has made, from `supabase init` to a run on the screen: its
 * `migration up` applies everything to a native Postgres, in the order of the names as `db reset`
 * does, and refuses what comes before something that was applied.
 */
let folder: string
let installed: string
let cluster: { port: number; stop: () => Promise<void> }
let browser: Browser
beforeAll(async () => {
  folder = await makeFolder()
  installed = await installApp('vue', await pack(folder), folder)
  cluster = await startCluster()
  browser = await launchChromium()
})
afterAll(async () => {
  await browser.close()
  await cluster.stop()
  await removeFolder(folder)
})

const hour = 3_600_000
const project = (name: string): Promise<SupabaseProject> =>
  initProject(join(folder, name), { folder, installed })

/** A database with what Supabase has in an empty project; the address is for its CLI. */
async function emptyDatabase() {
  const name = `app_${randomUUID().replaceAll('-', '')}`
  await onDatabase(cluster.port, 'postgres', `create database ${name} template prepared_platform`)
  return {
    address: `postgres://postgres:postgres@127.0.0.1:${cluster.port}/${name}`,
    async query(sql: string): Promise<unknown[]> {
      const client = createClient(cluster.port, name)
      await client.connect()
      try {
        return (await client.query<Record<string, unknown>>(sql)).rows
      } finally {
        await client.end()
      }
    },
  }
}
const status = `select pgflow_realtime.version(), pgflow_realtime.status() -> 'problems' as problems,
  pgflow_realtime.status() -> 'allowed_starts' -> 'analyze_text' as allowed`
const allRight = (allowed: string[] | null) => [{ version: '0.1.0', problems: [], allowed }]

/** The SQL that the README says to run. */
async function sqlOfReadme(): Promise<string> {
  const text = await readFile('README.md', 'utf8')
  return /```sql\n([^]*?)```/.exec(text)?.[1] ?? ''
}

/** The migration that `install` says to write. */
async function allowStarts(app: SupabaseProject, out: string): Promise<void> {
  const [, name = ''] = /supabase\/migrations\/(\d+_allow_starts\.sql)/.exec(out) ?? []
  await app.addMigration(name, await sqlOfReadme())
}

describe('a new project', () => {
  it.each([
    ['in London', 0],
    ['nine hours east, as the installer of pgflow takes the local time', 9],
    ['eight hours west', -8],
  ])('takes the migrations in the order of their names, %s', async (_, hours) => {
    const app = await project(`new-${hours}`)
    const before = stampOf(Date.now() + hours * hour)
    await app.installPgflow(Date.now() + hours * hour + 1000)
    const out = await app.piniaPgflow('install')
    expect(out.includes('Its time is 9 h from now')).toBe(hours === 9)
    await allowStarts(app, out)

    const names = await app.migrations()
    expect(names[0]?.startsWith(before.slice(0, 8))).toBe(true)
    expect(names.slice(-3)).toEqual([
      expect.stringContaining('_pgflow_'),
      expect.stringMatching(/^\d{14}_pinia_pgflow_0_1_0\.sql$/),
      expect.stringMatching(/^\d{14}_allow_starts\.sql$/),
    ])
    const db = await emptyDatabase()
    await app.migrateUp(db.address)
    expect(await db.query(status)).toEqual(allRight(['anon', 'authenticated']))
    expect(await app.piniaPgflow('install')).toContain('All is current')
    expect(await app.exposed()).toEqual(['public', 'graphql_public', 'pgflow_client'])
  })

  it('shows a run from its start to its end, with the app of the README', async () => {
    const app = await initProject(installed, { folder, installed })
    await writeReadme(app.app)
    await app.installPgflow(Date.now() + 1000)
    await allowStarts(app, await app.piniaPgflow('install'))
    const gateway = await openGateway({
      database: { level: 'platform' },
      setup: (await readMigrations(app)).join('\n'),
      schemas: await app.exposed(),
      flows: [AnalyzeText],
      // Only what the migration allows.
      allowStart: [],
    })
    try {
      const { anonKey } = gateway.backend
      const report = await app.piniaPgflow('doctor', '--url', gateway.url, '--key', anonKey)
      expect(report).toContain('All is well')
      await startAndFollow(app.app, gateway, browser)
    } finally {
      await gateway.close()
    }
  })
})

describe('a project that has run for a while', () => {
  const yesterday = Date.now() - 24 * hour
  /** The first migrations of pgflow are an older pgflow: 0.7. */
  const isOld = (name: string) => name < '20251100000000'
  const old = `${stampOf(yesterday + 60_000)}_pinia_pgflow.sql`

  it('is upgraded from the first edition, and once more after an upgrade of pgflow', async () => {
    const app = await project('upgraded')
    const db = await emptyDatabase()
    await app.installPgflow(yesterday, isOld)
    await app.addMigration(old, firstEdition)
    const allow = `select pgflow_client.allow_start('analyze_text', 'anon');`
    await app.addMigration(`${stampOf(yesterday + 120_000)}_allow_starts.sql`, allow)
    await app.migrateUp(db.address)

    expect(await app.piniaPgflow('install')).toContain(`as an upgrade: ${old}`)
    await app.migrateUp(db.address)
    expect(await db.query(status)).toEqual(allRight(['anon']))

    await app.installPgflow(Date.now() + 2000, (name) => !isOld(name))
    await app.migrateUp(db.address)
    expect(await db.query(status)).not.toEqual(allRight(['anon']))
    expect(await app.piniaPgflow('install')).toContain('since pgflow was upgraded after')
    await app.migrateUp(db.address)
    expect(await db.query(status)).toEqual(allRight(['anon']))
    expect(await app.piniaPgflow('install')).toContain('All is current')
  })

  it('gets rid of it with the migration of the guide', async () => {
    const app = await project('removed')
    const db = await emptyDatabase()
    await app.installPgflow(yesterday)
    await app.piniaPgflow('install')
    await app.migrateUp(db.address)
    const file = await app.newMigration('remove_pinia_pgflow')
    const uninstall = join(installed, 'node_modules/pinia-pgflow/supabase/uninstall.sql')
    await app.addMigration(file, await readFile(uninstall, 'utf8'))
    await app.migrateUp(db.address)
    expect(
      await db.query(
        `select to_regnamespace('pgflow_client') is null as gone, to_regclass('pgflow.runs') is null as lost`,
      ),
    ).toEqual([{ gone: true, lost: false }])
  })
})
