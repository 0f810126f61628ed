import { randomUUID } from 'node:crypto'
import type { PackageInfo } from '../package-info.ts'
import type { Answer, Project } from '../project.ts'
import { runMigrations } from '../supabase-commands.ts'
import { error, ok, warning, type Finding } from './findings.ts'
import { isMissing, refusalOf } from './refusals.ts'

/** How many rows `self_test_rows()` returns, which is the largest page of a list. */
const largestPage = 100

const upgrade = `npx pinia-pgflow install, then ${runMigrations}.`

/** What the API returned, and whether further checks make sense. */
export interface ApiChecks {
  findings: Finding[]
  isUsable: boolean
}

/** Checks everything that calls of the API show: address, key, schema, functions, versions. */
export async function checkApi(
  project: Project,
  own: PackageInfo,
  hasToken: boolean,
): Promise<ApiChecks> {
  const version = await project.call('api_version')
  const refusal = refusalOf(version, project, { hasToken })
  if (refusal) return { findings: [refusal], isUsable: false }
  const findings = [
    ok('reachable', `${project.url} answers.`),
    ok('key', hasToken ? 'The key and the token are accepted.' : 'The key is accepted.'),
    ok('exposed', 'The schema pgflow_client is exposed.'),
  ]
  const wrongVersion = await checkVersion(project, version, apiVersionOf(own))
  if (wrongVersion) return { findings: [...findings, wrongVersion], isUsable: false }
  const functions = await checkFunctions(project)
  findings.push(ok('installed', 'pinia-pgflow is installed in the database.'), functions)
  return { findings, isUsable: functions.status === 'ok' }
}

/** The result of `api_version()` in the migration of this package. */
function apiVersionOf({ migration }: PackageInfo): number {
  const text = /function pgflow_client\.api_version\(\)[^;]*?select (\d+);/.exec(migration)?.[1]
  if (text === undefined) throw new Error('The migration of this package has no api_version().')
  return Number(text)
}

async function checkVersion(
  project: Project,
  answer: Answer,
  own: number,
): Promise<Finding | undefined> {
  if (isMissing(answer)) {
    // The first edition has this one, and no version.
    const first = await project.call('get_run_with_states', { p_run_id: randomUUID() })
    if (first.error === null) return olderMigration('It is of the first edition.')
    return error(
      'installed',
      'not_installed',
      'The functions of pinia-pgflow are not in the database, or the API does not know of them yet.',
      `${upgrade} Where it ran a moment ago: notify pgrst, 'reload schema';`,
    )
  }
  if (answer.error) return callFailed('api_version', answer)
  if (typeof answer.data !== 'number') {
    return error(
      'version',
      'unknown_version',
      'pgflow_client.api_version() did not return a number.',
      'See whether another function of that name is in the way, and run the migration again.',
    )
  }
  if (answer.data < own) return olderMigration(`Its API has version ${answer.data}, not ${own}.`)
  if (answer.data === own) return undefined
  return error(
    'version',
    'newer_migration',
    `The migration in the database is newer than this package: its API has version ${answer.data}, not ${own}.`,
    'Upgrade the package: npm install pinia-pgflow@latest',
  )
}

function olderMigration(detail: string): Finding {
  const message = `The migration in the database is older than this package. ${detail}`
  return error('version', 'older_migration', message, upgrade)
}

/** No slug of pgflow has blanks: there is no such flow. */
const noFlow = 'pinia-pgflow doctor'

/** Calls that change nothing, and the errors that are a correct response to them. */
const calls: readonly (readonly [name: string, args: object, answers: string[]])[] = [
  ['start_flow_with_states', { p_flow_slug: noFlow, p_input: {} }, ['PT404', 'PT401']],
  ['get_run_with_states', { p_run_id: '00000000-0000-4000-8000-000000000000' }, []],
  ['get_runs_with_states', { p_run_ids: [] }, []],
  ['get_run_seqs', { p_run_ids: [] }, []],
  ['list_runs', { p_limit: 1 }, ['PT401']],
  ['get_flow', { p_flow_slug: noFlow }, []],
  ['self_test', {}, []],
  ['self_test_rows', {}, []],
]

async function checkFunctions(project: Project): Promise<Finding> {
  const answers = await Promise.all(
    calls.map(async ([name, args, fine]) => {
      const answer = await project.call(name, { ...args })
      return { name, answer, isFine: !answer.error || fine.includes(answer.error.code) }
    }),
  )
  const missing = answers.filter(({ answer }) => isMissing(answer)).map(({ name }) => name)
  if (missing.length > 0) {
    return error(
      'functions',
      'functions_missing',
      `Functions are missing in pgflow_client: ${missing.join(', ')}.`,
      `The migration is older, or was changed: ${upgrade}`,
    )
  }
  const failed = answers.find(({ isFine }) => !isFine)
  if (failed) return callFailed(failed.name, failed.answer)
  return ok('functions', `All ${calls.length} functions are there and answer.`)
}

function callFailed(name: string, { error: failure, status }: Answer): Finding {
  const said = failure?.message ?? `status ${status}`
  if (failure?.code === '42501') {
    return error(
      'functions',
      'not_granted',
      `The role of this key or token may not call pgflow_client.${name}: ${said}`,
      'Run the migration again: it grants what the roles anon, authenticated and service_role need.',
    )
  }
  return error(
    'functions',
    'call_failed',
    `pgflow_client.${name} failed: ${said}${failure?.code ? ` (${failure.code})` : ''}`,
    failure?.hint !== undefined && failure.hint !== ''
      ? failure.hint
      : 'Look for this message in the logs of the database.',
  )
}

/** Whether replies are cut below the largest page. */
export async function checkRows(project: Project): Promise<Finding> {
  const answer = await project.call('self_test_rows')
  if (answer.error) return callFailed('self_test_rows', answer)
  const rows = Array.isArray(answer.data) ? answer.data.length : 0
  if (rows >= largestPage) {
    return ok('rows', `The project lets a reply have the ${largestPage} rows of the largest page.`)
  }
  return warning(
    'rows',
    'row_limit',
    `The project cuts replies to ${rows} rows, and a page of runs has up to ${largestPage}. What pinia-pgflow reads by its own functions comes as one value and is not cut; lists on plain pgflow (schema: 'pgflow') end early.`,
    'Raise the limit to 1000: max_rows in [api] of config.toml, or Project Settings, Data API, Max rows.',
  )
}
