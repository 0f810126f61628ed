/** The commands there are. */
export type CommandName = 'install' | 'doctor' | 'types'

const projectOptions = `  --url <url>      the address of the project, such as https://abc.supabase.co
                   (or PINIA_PGFLOW_URL)
  --key <key>      an API key of it: publishable, anon or secret (or PINIA_PGFLOW_KEY)
  --token <token>  the access token of a signed-in user (or PINIA_PGFLOW_TOKEN)
  --db <url>       the database itself, postgres://… (or PINIA_PGFLOW_DB); needs the package pg`

const exitCodes = `Exit codes: 0 all is well, 1 something is not, 2 called wrongly.`

const helps: Record<CommandName | 'all', string> = {
  all: `Usage: npx pinia-pgflow <command> [options]

Commands:
  install   add the migration to your Supabase project, or upgrade it
  doctor    find out what keeps a project from working with pinia-pgflow
  types     write the TypeScript names of the flows and steps in a database

Options:
  -h, --help     this; npx pinia-pgflow <command> --help for one command
  -v, --version  the version of pinia-pgflow

${exitCodes}`,

  install: `Usage: npx pinia-pgflow install [--dry-run]

Adds the migration of pinia-pgflow to supabase/migrations, after all that are there, and
pgflow_client to the exposed schemas in supabase/config.toml. Run it again after each upgrade of
pinia-pgflow or pgflow: it adds a migration where one is needed, and changes nothing otherwise.

Options:
  --dry-run   say what would be done, and do nothing
  -h, --help  this

${exitCodes}`,

  doctor: `Usage: npx pinia-pgflow doctor --url <url> --key <key> [--token <token>] [--db <url>] [--json]

Checks a project from the outside, as an app sees it, and with --db from the inside too. It starts
no flow. It sends one message over Realtime on a channel of its own. Each finding comes with its
fix. Keys, tokens and passwords are never printed.

Options:
${projectOptions}
  --json           the findings as JSON
  -h, --help       this

Without --token it checks what somebody who is not signed in can do. --db alone checks the database
only. Put keys into the environment rather than into the command where others use the machine.

${exitCodes} Warnings do not count.`,

  types: `Usage: npx pinia-pgflow types (--db <url> | --url <url> --key <key> [--token <token>]) [--out <file>]

Writes the slugs of your flows and their steps as TypeScript, for projects whose flows are not
written with @pgflow/dsl. With --db all flows of the database; with --url those that the key or
token may start (all with a secret key).

Options:
${projectOptions}
  --out <file>     write it there; without it, to the standard output
  -h, --help       this

${exitCodes}`,
}

/** The help for a command, or for all of it. */
export function helpOf(command?: CommandName): string {
  return helps[command ?? 'all']
}
