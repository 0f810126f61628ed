import { constants } from 'node:fs'
import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { CliError, codeOf, messageOf } from '../errors.ts'
import { readPackage } from '../package-info.ts'
import type { CommandContext, Terminal } from '../terminal.ts'
import { exposeSchema } from './config-toml.ts'
import { describePlan } from './describe-plan.ts'
import { findSupabaseFolder, type SupabaseFolder } from './supabase-folder.ts'
import { lineChanges } from './line-changes.ts'
import { readMigrations } from './migrations.ts'
import { nextSteps } from './next-steps.ts'
import { planMigration } from './plan.ts'

export interface InstallOptions {
  /** Prints what would be done, and does nothing. */
  dryRun: boolean
}

/**
 * Puts our migration into the project's and exposes our schema. Everything is read and decided
 * before anything is written. Running it again changes only what is out of date.
 * @throws CliError
 */
export async function install(
  { dryRun }: InstallOptions,
  { cwd, now }: CommandContext,
  terminal: Terminal,
): Promise<void> {
  const [project, own] = await Promise.all([findSupabaseFolder(cwd), readPackage()])
  const time = now()
  const plan = planMigration(await readMigrations(project.migrations), own, time)
  const config = await readConfig(project)
  const exposed = config === undefined ? undefined : exposeSchema(config, project.config)
  const changesConfig = exposed !== undefined && exposed.text !== config

  const path = (file: string) => relative(cwd, file) || basename(file)
  for (const line of describePlan(plan, own, { folder: path(project.migrations), now: time }))
    terminal.result(line)
  if (exposed && changesConfig) {
    terminal.result(`${path(project.config)}: expose the schema pgflow_client`)
    for (const line of lineChanges(config ?? '', exposed.text)) terminal.result(`  ${line}`)
  } else if (exposed) {
    terminal.result(`${path(project.config)}: the schema pgflow_client is exposed already.`)
  }

  if (dryRun) {
    terminal.result('\nNothing was written (--dry-run).')
    return
  }
  if (changesConfig) await mustBeWritable(project.config)
  if (plan.kind !== 'current') await writeMigration(project, plan.file, own.migration)
  if (exposed && changesConfig) await write(project.config, exposed.text, 'w')
  const advice = nextSteps({
    plan,
    folder: path(project.migrations),
    now: time,
    changesConfig,
    hasConfig: exposed !== undefined,
    isApiOff: exposed?.isApiOff ?? false,
  })
  for (const line of advice) terminal.result(line)
}

/** The text of `config.toml`; undefined where there is none. */
async function readConfig({ config }: SupabaseFolder): Promise<string | undefined> {
  try {
    return await readFile(config, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw new CliError(
      `Cannot read ${config}: ${messageOf(cause)}`,
      'Give yourself the right to read it, and run this again. Nothing was written.',
      { cause },
    )
  }
}

async function mustBeWritable(path: string): Promise<void> {
  await access(path, constants.W_OK).catch((cause: unknown) => {
    throw new CliError(
      `Cannot write ${path}: ${messageOf(cause)}`,
      'Make it writable, or add "pgflow_client" to [api] schemas there yourself; then run this again. Nothing was written.',
      { cause },
    )
  })
}

async function writeMigration(project: SupabaseFolder, file: string, text: string): Promise<void> {
  const path = join(project.migrations, file)
  await mkdir(project.migrations, { recursive: true }).catch((cause: unknown) => {
    throw notWritten(project.migrations, cause)
  })
  // Two at once have the same name: the second must not write over the first.
  await write(path, text, 'wx')
}

async function write(path: string, text: string, flag: 'w' | 'wx'): Promise<void> {
  await writeFile(path, text, { flag }).catch((cause: unknown) => {
    throw notWritten(path, cause)
  })
}

function notWritten(path: string, cause: unknown): CliError {
  const fix =
    codeOf(cause) === 'EEXIST'
      ? 'Another "pinia-pgflow install" wrote it just now. Run this again.'
      : `Give yourself the right to write in ${dirname(path)}, and run this again.`
  return new CliError(`Cannot write ${path}: ${messageOf(cause)}`, fix, { cause })
}
