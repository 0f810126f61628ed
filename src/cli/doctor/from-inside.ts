import * as v from 'valibot'
import type { OwnDatabase } from '../database.ts'
import { CliError } from '../errors.ts'
import type { PackageInfo } from '../package-info.ts'
import { runMigrations } from '../supabase-commands.ts'
import { error, ok, warning, type Finding } from './findings.ts'
import { isUnnamed, problemOf } from './setup.ts'

const statusSchema = v.object({
  version: v.string(),
  // By slug. Not a record of valibot's, which passes over names such as "constructor".
  allowed_starts: v.custom<object>((value) => typeof value === 'object' && value !== null),
  functions_still_sending: v.array(v.string()),
  exposed: v.nullable(v.boolean()),
  problems: v.array(v.string()),
})
type Status = v.InferOutput<typeof statusSchema>

const migrate = `npx pinia-pgflow install, then ${runMigrations}.`

/** What is only visible inside the database. */
export async function checkFromInside(db: OwnDatabase, own: PackageInfo): Promise<Finding[]> {
  const [found] = await db.query<{ pgflow: boolean; ours: boolean; realtime: boolean }>(`
    select to_regclass('pgflow.runs') is not null as pgflow,
      to_regprocedure('pgflow_realtime.status()') is not null as ours,
      to_regclass('realtime.messages') is not null as realtime`)
  if (found?.pgflow !== true) {
    return [
      error(
        'database',
        'no_pgflow',
        'pgflow is not installed in the database of --db.',
        'npx pgflow@latest install, then run its migrations. Check that --db is the database of this project.',
      ),
    ]
  }
  if (!found.ours) {
    const message = 'pinia-pgflow is not installed in the database of --db, or is too old.'
    return [error('database', 'not_installed', message, migrate)]
  }
  const status = await readStatus(db)
  return [
    checkVersion(status, own),
    ...checkExposed(status),
    ...checkSending(status),
    ...(found.realtime ? await checkPartition(db) : []),
    ...(await checkFlows(db, status)),
    ...checkProblems(status),
  ]
}

async function readStatus(db: OwnDatabase): Promise<Status> {
  const [row] = await db.query<{ status: unknown }>('select pgflow_realtime.status() as status')
  const parsed = v.safeParse(statusSchema, row?.status)
  if (parsed.success) return parsed.output
  throw new CliError(
    'pgflow_realtime.status() did not return what this version of pinia-pgflow reads.',
    `Bring both to the same version: ${migrate}`,
  )
}

function checkVersion({ version }: Status, own: PackageInfo): Finding {
  if (version === own.version) {
    return ok('database', `The database of --db has the migration of version ${version}.`)
  }
  const message = `The database of --db has the migration of version ${version}, and this package is ${own.version}.`
  return warning('database', 'other_version', message, migrate)
}

/** Null if the database cannot tell: the API is configured outside of it. */
function checkExposed({ exposed }: Status): Finding[] {
  if (exposed !== false) return []
  return [
    error(
      'exposed',
      'schema_not_exposed',
      'The database says that the API does not serve the schema pgflow_client.',
      'Project Settings, Data API, Exposed schemas: add pgflow_client.',
    ),
  ]
}

function checkSending({ functions_still_sending: sending }: Status): Finding[] {
  if (sending.length === 0) return []
  return [
    error(
      'sending',
      'pgflow_sends',
      `pgflow broadcasts by itself beside pinia-pgflow: ${sending.join(', ')}.`,
      'select pgflow_realtime.take_over(); or npx pinia-pgflow install, and run the migration it adds.',
    ),
  ]
}

async function checkPartition(db: OwnDatabase): Promise<Finding[]> {
  // By the bounds, since their names are Realtime's own.
  const [row] = await db.query<{ ready: boolean }>(`
    select exists (
      select 1
      from pg_catalog.pg_inherits as part
      join pg_catalog.pg_class as class on class.oid = part.inhrelid
      where part.inhparent = 'realtime.messages'::regclass
        and localtimestamp >= substring(
          pg_get_expr(class.relpartbound, class.oid) from $$FROM \\('([^']+)'\\)$$)::timestamp
        and localtimestamp < substring(
          pg_get_expr(class.relpartbound, class.oid) from $$TO \\('([^']+)'\\)$$)::timestamp
    ) as ready`)
  if (row?.ready === true) return [ok('partition', 'realtime.messages has a partition for today.')]
  return [
    error(
      'partition',
      'no_partition',
      'Every broadcast is lost: realtime.messages has no partition for today.',
      'Realtime makes it when a client connects. Restart the project (or npx supabase stop && npx supabase start), and see the logs of Realtime if it is not made.',
    ),
  ]
}

async function checkFlows(db: OwnDatabase, { allowed_starts }: Status): Promise<Finding[]> {
  const rows = await db.query<{ flow_slug: string }>(
    'select flow_slug from pgflow.flows order by flow_slug',
  )
  const flows = rows.map(({ flow_slug }) => flow_slug)
  const allowed = new Set(Object.keys(allowed_starts))
  const closed = flows.filter((slug) => !allowed.has(slug))
  const unknown = [...allowed].filter((slug) => !flows.includes(slug))
  const findings: Finding[] = []
  if (closed.length > 0) {
    findings.push(
      warning(
        'flows',
        'closed_flows',
        `No app may start: ${listOf(closed)}.`,
        `Where one should: select pgflow_client.allow_start('${closed[0] ?? ''}', 'authenticated'); in a migration.`,
      ),
    )
  }
  if (unknown.length > 0) {
    findings.push(
      warning(
        'flows',
        'unknown_flows',
        `Starts are allowed of flows that are not in the database: ${listOf(unknown)}.`,
        'Check the slug in allow_start, and run the migration of the flow or start its worker.',
      ),
    )
  }
  return findings
}

function listOf(slugs: readonly string[]): string {
  const shown = slugs.slice(0, 10).join(', ')
  return slugs.length > 10 ? `${shown} and ${slugs.length - 10} more` : shown
}

function checkProblems({ problems }: Status): Finding[] {
  const lost = problems.filter((problem) => problem.startsWith('Every broadcast is lost:'))
  const others = problems.filter(isUnnamed)
  if (problems.length === 0) return [ok('problems', 'The database names no problem.')]
  return [
    ...lost.map((problem) => {
      const [message = problem, ...fix] = problem.split(/(?<=\.) (?=Run as|Install as)/)
      return error('owner', 'cannot_send', message, fix.join(' '))
    }),
    ...others.map(problemOf),
  ]
}
