import { openDatabase, type OwnDatabase } from '../database.ts'
import { CliError, messageOf } from '../errors.ts'
import { readPackage, type PackageInfo } from '../package-info.ts'
import { accessOf, openProject, type ProjectAccess } from '../project.ts'
import type { CommandContext, Terminal } from '../terminal.ts'
import { checkApi, checkRows } from './api.ts'
import { factsOf } from './facts.ts'
import { error, isWell, toJson, toText, type Finding } from './findings.ts'
import { checkFromInside } from './from-inside.ts'
import { checkRealtime, type RealtimeWaits } from './realtime.ts'
import { checkSetup } from './setup.ts'

export interface DoctorOptions {
  url: string | undefined
  key: string | undefined
  token: string | undefined
  db: string | undefined
  json: boolean
}

/**
 * Checks a project and prints the findings. Resolves to the exit code.
 * @throws CliError when it was called wrongly
 */
export async function doctor(
  { url, key, token, db, json }: DoctorOptions,
  { now }: Pick<CommandContext, 'now'>,
  terminal: Terminal,
): Promise<number> {
  const access = accessOf({ url, key, token })
  if (!access && db === undefined) {
    throw new CliError(
      'There is nothing to check.',
      'Pass --url and --key of a project, --db, or all of them: npx pinia-pgflow doctor --help',
      { usage: true },
    )
  }
  const own = await readPackage()
  const findings = [
    ...(access ? await checkProject(access, own, now) : []),
    ...(db === undefined ? [] : await checkDatabase(db, own)),
  ]
  terminal.result(json ? toJson(findings) : toText(findings))
  return isWell(findings) ? 0 : 1
}

/** Checks a project as an app sees it. */
export async function checkProject(
  access: ProjectAccess,
  own: PackageInfo,
  now: () => number,
  waits: Partial<RealtimeWaits> = {},
): Promise<Finding[]> {
  const project = await openProject(access)
  try {
    const hasToken = access.token !== undefined
    const { findings, isUsable } = await checkApi(project, own, hasToken)
    if (!isUsable) return findings
    const before = now()
    const facts = factsOf(await project.call('self_test'))
    if (!facts) return [...findings, unreadable]
    findings.push(...checkSetup(facts, own, { hasToken, before, after: now() }))
    findings.push(await checkRows(project))
    findings.push(...(await checkRealtime(project, facts, waits)))
    return findings
  } finally {
    await project.close()
  }
}

const unreadable = error(
  'functions',
  'malformed_reply',
  'pgflow_client.self_test() returned something that this version cannot read.',
  'Bring both to the same version: npm install pinia-pgflow@latest, npx pinia-pgflow install, and run the migration.',
)

async function checkDatabase(address: string, own: PackageInfo): Promise<Finding[]> {
  let db: OwnDatabase | undefined
  try {
    db = await openDatabase(address)
    return await checkFromInside(db, own)
  } catch (thrown) {
    if (thrown instanceof CliError && thrown.exitCode === 2) throw thrown
    const fix = thrown instanceof CliError ? thrown.fix : 'See the logs of the database.'
    const cause = db ? 'query_failed' : 'not_connected'
    return [error('database', cause, messageOf(thrown), fix)]
  } finally {
    await db?.close()
  }
}
