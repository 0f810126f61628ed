import { createHash } from 'node:crypto'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const schemas = new URL('../supabase/schemas/', import.meta.url)
const migration = new URL('../supabase/migrations/20261128000000_pinia_pgflow.sql', import.meta.url)

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
-- It can be run again at any time, also while workers run flows, which is how it is upgraded; do so
-- after upgrading pgflow. What is as it should be is left alone.
`

const title = (name: string) => `-- ${name} ${'-'.repeat(96 - name.length)}\n\n`

/**
 * What the files 0200 to 1800 define depends on nothing in the database: it is one statement, which
 * does nothing where the very same is installed already.
 */
function defineOnce(definitions: string): string {
  const hash = createHash('sha256').update(definitions).digest('hex').slice(0, 16)
  return `do $migration$
begin
  if to_regprocedure('pgflow_realtime.installed()') is not null
    and to_regprocedure('pgflow_realtime.fingerprint()') is not null then
    -- The first is of this file, the second of what it made in this database.
    if pgflow_realtime.installed() = '${hash} ' || pgflow_realtime.fingerprint() then
      return;
    end if;
  end if;

  execute $definitions$
${definitions}$definitions$;

  perform pgflow_realtime.put_constant('definitions', 'text'::regtype, '${hash}',
    'Which definitions were installed, as a digest.');
end;
$migration$;
`
}

/** The whole migration: every schema file, in the order of its number, below one header. */
async function buildMigration(): Promise<string> {
  const names = (await readdir(schemas)).filter((name) => name.endsWith('.sql')).sort()
  const parts = await Promise.all(
    names.map(async (name) => {
      const sql = (await readFile(new URL(name, schemas), 'utf8')).trim()
      return { name, sql: `${title(name)}${sql}\n` }
    }),
  )
  const between = (from: string, to: string) =>
    parts
      .filter(({ name }) => name >= from && name < to)
      .map(({ sql }) => sql)
      .join('\n')
  return [
    header,
    between('0000', '0200'),
    defineOnce(between('0200', '1900')),
    between('1900', '9999'),
  ].join('\n')
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
