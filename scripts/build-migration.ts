import { readFile, readdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const schemas = new URL('../supabase/schemas/', import.meta.url)
const migration = new URL('../supabase/migrations/20261123000000_pinia_pgflow.sql', import.meta.url)

const header = `-- pinia-pgflow: broadcasts every change of pgflow runs and steps over Supabase Realtime, and the
-- functions an application calls to start and read runs.
--
-- GENERATED from supabase/schemas/*.sql by scripts/build-migration.ts: change those, then run
-- "npm run migration".
--
-- To install: copy this file into your project's supabase/migrations/ after pgflow's own, apply it
-- ("supabase db push", or "psql -1 -v ON_ERROR_STOP=1 -f" as the database owner), expose the schema
-- pgflow_client (config.toml, or Project Settings, Data API), and allow each flow once:
--   select pgflow_client.allow_start('my_flow', 'authenticated');
-- It can be run again at any time, which is also how it is upgraded; do so after upgrading pgflow.
`

/** The whole migration: every schema file, in the order of its number, below one header. */
async function buildMigration(): Promise<string> {
  const names = (await readdir(schemas)).filter((name) => name.endsWith('.sql')).sort()
  const parts = await Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, schemas), 'utf8')
      return `-- ${name} ${'-'.repeat(96 - name.length)}\n\n${sql.trim()}\n`
    }),
  )
  return [header, ...parts].join('\n')
}

const built = await buildMigration()
const file = fileURLToPath(migration)

if (process.argv.includes('--check')) {
  const committed = await readFile(migration, 'utf8').catch(() => undefined)
  if (committed !== built) {
    console.error(
      committed === undefined
        ? `${file} does not exist. Run "npm run migration".`
        : `${file} is not what supabase/schemas/*.sql make. Run "npm run migration" and commit it.`,
    )
    process.exitCode = 1
  }
} else {
  await writeFile(migration, built)
}
