import { CliError, codeOf, messageOf } from './errors.ts'

/** A database, as its owner sees it. */
export interface OwnDatabase {
  query<Row extends object>(sql: string): Promise<Row[]>
  close(): Promise<void>
}

/** How long to wait for a connection, in ms. */
const connectTimeout = 15_000

/**
 * Connects to the database at this address.
 * @throws CliError where the package pg is not installed, or the database cannot be reached
 */
export async function openDatabase(address: string): Promise<OwnDatabase> {
  if (!/^postgres(ql)?:\/\//.test(address) || !URL.canParse(address)) {
    throw new CliError(
      '--db is not the address of a database.',
      'It begins with postgres:// (dashboard, Connect; local: npx supabase status). Special characters of the password are written as in a URL, such as %40 for @.',
      { usage: true },
    )
  }
  const { default: pg } = await loadDriver()
  const client = new pg.Client({
    connectionString: address,
    connectionTimeoutMillis: connectTimeout,
    query_timeout: connectTimeout,
    application_name: 'pinia-pgflow',
  })
  // A connection that is lost later fails the query that waits for it.
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (cause) {
    throw notConnected(cause)
  }
  return {
    query: async <Row extends object>(sql: string) => (await client.query<Row>(sql)).rows,
    close: () => client.end(),
  }
}

/** Not a dependency: apps need none of it, and few call --db. */
async function loadDriver() {
  return import('pg').catch((cause: unknown) => {
    throw new CliError(
      'The package pg, which connects to --db, is not installed here.',
      'npm install --save-dev pg, and run this again.',
      { cause },
    )
  })
}

function notConnected(cause: unknown): CliError {
  const code = codeOf(cause)
  const wrongPassword = code === '28P01' || code === '28000'
  return new CliError(
    `Cannot connect to the database of --db: ${messageOf(cause)}`,
    wrongPassword
      ? 'Check user and password. The password is that of the database, not an API key.'
      : 'Check host and port. From networks without IPv6 take the address of the pooler (dashboard, Connect).',
    { cause },
  )
}
