import { parseArgs, type ParseArgsConfig } from 'node:util'
import { CliError, codeOf, messageOf } from './errors.ts'
import { helpOf, type CommandName } from './help.ts'
import { readPackage } from './package-info.ts'
import { createTerminal, type CommandContext, type Terminal } from './terminal.ts'

const about = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

const project = {
  url: { type: 'string' },
  key: { type: 'string' },
  token: { type: 'string' },
} as const
const database = { db: { type: 'string' } } as const

type Run = (args: string[], context: CommandContext, terminal: Terminal) => Promise<number>

/** Each is loaded when it is called: `install` needs no Supabase client. */
const commands: Record<CommandName, Run> = {
  async install(args, context, terminal) {
    const { values } = parse(args, { 'dry-run': { type: 'boolean' } })
    const { install } = await import('./install/install.ts')
    await install({ dryRun: values['dry-run'] === true }, context, terminal)
    return 0
  },
  async doctor(args, context, terminal) {
    const { values } = parse(args, { ...project, ...database, json: { type: 'boolean' } })
    const { doctor } = await import('./doctor/doctor.ts')
    return doctor(
      { ...withEnv(values, context.env), json: values.json === true },
      context,
      terminal,
    )
  },
  async types(args, context, terminal) {
    const { values } = parse(args, { ...project, ...database, out: { type: 'string' } })
    const { types } = await import('./types/types.ts')
    await types({ ...withEnv(values, context.env), out: values.out }, context, terminal)
    return 0
  },
}

/**
 * Runs one command and returns the exit code: 0 when all is well, 1 when something is not, 2 when
 * it was called wrongly.
 */
export async function runCommand(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const terminal = createTerminal(context)
  hideSecrets(args, context, terminal)
  try {
    return await dispatch([...args], context, terminal)
  } catch (thrown) {
    return report(thrown, terminal)
  }
}

async function dispatch(
  args: string[],
  context: CommandContext,
  terminal: Terminal,
): Promise<number> {
  const [first, ...rest] = args
  if (first === undefined || first.startsWith('-')) {
    const { values } = parse(args, {})
    if (values.version !== true) terminal.result(helpOf())
    else terminal.result((await readPackage()).version)
    // Without a command there was nothing to do, unless help is what was asked for.
    return first === undefined ? 2 : 0
  }
  if (first === 'help') {
    const [topic] = rest
    terminal.result(topic !== undefined && isCommand(topic) ? helpOf(topic) : helpOf())
    return 0
  }
  if (!isCommand(first)) {
    throw new CliError(
      `There is no command "${first.slice(0, 40)}".`,
      'The commands are install, doctor and types: npx pinia-pgflow --help',
      { usage: true },
    )
  }
  const asksForHelp = rest.some((arg) => arg === '--help' || arg === '-h')
  if (asksForHelp) {
    terminal.result(helpOf(first))
    return 0
  }
  return commands[first](rest, context, terminal)
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name)
}

function parse<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: Options,
) {
  try {
    return parseArgs({ args, options: { ...about, ...options }, strict: true })
  } catch (cause) {
    if (!codeOf(cause).startsWith('ERR_PARSE_ARGS')) throw cause
    // Arguments may be a key in the wrong place: only names of options are printed.
    const message = messageOf(cause).replace(/'([^']*)'/g, (_, quoted: string) =>
      /^-{1,2}[\w-]+( <value>)?$/.test(quoted) ? `'${quoted}'` : "'…'",
    )
    throw new CliError(message, 'See what it takes: npx pinia-pgflow --help', {
      usage: true,
      cause,
    })
  }
}

/** Options that are not given may be in the environment, where other users do not see them. */
function withEnv(
  values: { url?: unknown; key?: unknown; token?: unknown; db?: unknown },
  env: CommandContext['env'],
) {
  const read = (value: unknown, name: string) => {
    const text = typeof value === 'string' ? value : env[name]
    const trimmed = text?.trim()
    return trimmed === '' ? undefined : trimmed
  }
  return {
    url: read(values.url, 'PINIA_PGFLOW_URL'),
    key: read(values.key, 'PINIA_PGFLOW_KEY'),
    token: read(values.token, 'PINIA_PGFLOW_TOKEN'),
    db: read(values.db, 'PINIA_PGFLOW_DB'),
  }
}

/** Before any argument is parsed: a parse error may quote a secret, too. */
function hideSecrets(args: readonly string[], { env }: CommandContext, terminal: Terminal): void {
  for (const [index, arg] of args.entries()) {
    const [, name = '', value = args[index + 1]] = /^--(key|token|db)(?:=(.*))?$/s.exec(arg) ?? []
    if (name === 'db') terminal.hide(passwordOf(value))
    else if (name !== '' && value?.startsWith('--') === false) terminal.hide(value)
  }
  terminal.hide(env.PINIA_PGFLOW_KEY, env.PINIA_PGFLOW_TOKEN, passwordOf(env.PINIA_PGFLOW_DB))
}

/** The password in an address; all of it where it is not an address. */
function passwordOf(address: string | undefined): string | undefined {
  if (address === undefined || !URL.canParse(address)) return address
  const { password, searchParams } = new URL(address)
  return password === '' ? (searchParams.get('password') ?? undefined) : password
}

function report(thrown: unknown, terminal: Terminal): number {
  if (thrown instanceof CliError) {
    terminal.note(`Error: ${thrown.message}\nFix: ${thrown.fix}`)
    return thrown.exitCode
  }
  terminal.note(
    `Error: ${messageOf(thrown)}\nFix: This should not happen. Please report it with what you called.`,
  )
  return 1
}
