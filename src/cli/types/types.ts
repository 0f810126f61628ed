import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { openDatabase } from '../database.ts'
import { CliError, codeOf, messageOf } from '../errors.ts'
import { accessOf } from '../project.ts'
import type { CommandContext, Terminal } from '../terminal.ts'
import { flowsOfDatabase, flowsOfProject, type FlowNames } from './read-flows.ts'
import { header, registryFile } from './registry-file.ts'

export interface TypesOptions {
  url: string | undefined
  key: string | undefined
  token: string | undefined
  db: string | undefined
  /** The file to write, relative to the working folder; undefined for the standard output. */
  out: string | undefined
}

/**
 * Writes the registry of the flows that a database has.
 * @throws CliError
 */
export async function types(
  { out, db, ...given }: TypesOptions,
  { cwd }: Pick<CommandContext, 'cwd'>,
  terminal: Terminal,
): Promise<void> {
  const flows = await readFlows({ db, ...given })
  if (flows.length === 0) {
    throw new CliError(
      'There is no flow to write types of.',
      db === undefined
        ? 'Over the API only flows count that this key or token may start (allow_start), or all with a secret key. Or pass --db.'
        : 'Run the migration of a flow (npx pgflow compile), or start its worker, which creates it.',
    )
  }
  const text = registryFile(flows)
  if (out === undefined) {
    terminal.result(text.trimEnd())
    return
  }
  const path = resolve(cwd, out)
  await mustBeOurs(path)
  await mkdir(dirname(path), { recursive: true })
    .then(() => writeFile(path, text))
    .catch((cause: unknown) => {
      throw new CliError(
        `Cannot write ${path}: ${messageOf(cause)}`,
        'Give yourself the right to write there, or pass another file as --out.',
        { cause },
      )
    })
  const count = flows.length === 1 ? 'one flow' : `${flows.length} flows`
  terminal.note(
    `${relative(cwd, path)}: ${count}. It has to be among the files of your tsconfig.json.`,
  )
}

async function readFlows({ url, key, token, db }: Omit<TypesOptions, 'out'>): Promise<FlowNames[]> {
  if (db !== undefined) {
    const database = await openDatabase(db)
    try {
      return await flowsOfDatabase(database)
    } finally {
      await database.close()
    }
  }
  const access = accessOf({ url, key, token })
  if (access) return flowsOfProject(access)
  throw new CliError(
    'There is nothing to read flows from.',
    'Pass --db, or --url and --key of a project: npx pinia-pgflow types --help',
    { usage: true },
  )
}

/** Nobody loses a file that they wrote themselves. */
async function mustBeOurs(path: string): Promise<void> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return
    throw new CliError(`Cannot write ${path}: ${messageOf(cause)}`, 'Pass another file as --out.', {
      cause,
    })
  }
  if (text.trim() === '' || text.startsWith(header)) return
  throw new CliError(
    `${path} exists, and was not written by this command.`,
    'Pass another file as --out, such as src/pgflow-flows.d.ts.',
  )
}
