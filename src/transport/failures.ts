import { PgflowError, type PgflowErrorCode } from '../errors.ts'
import { notSendable } from '../model/json.ts'
import { ownValue } from '../model/own-value.ts'
import { clip } from '../model/text.ts'

/** A failed call as supabase-js reports it. What a server sends need not have these types. */
export interface Failure {
  code?: unknown
  message?: unknown
  hint?: unknown
}

/**
 * The error codes for SQLSTATEs of this project's SQL and of Postgres, and for codes of PostgREST.
 */
const meanings: readonly (readonly [RegExp, PgflowErrorCode])[] = [
  [/^PT404$/, 'flow_not_found'],
  [/^PT403$/, 'flow_not_allowed'],
  [/^PT401$/, 'not_signed_in'],
  [/^PT409$/, 'run_conflict'],
  [/^(PT422|22...|PGRST10[0-3])$/, 'invalid_input'],
  [/^42501$/, 'not_granted'],
  // A schema, table or function is missing, or has another signature.
  [/^(3F000|42883|42P01|PGRST20.)$/, 'not_migrated'],
  [/^PGRST106$/, 'schema_not_exposed'],
  [/^(28...|PGRST30.)$/, 'unauthorized'],
  [/^57014$/, 'timeout'],
  // Lost connections, shutdowns by an operator, and PostgREST without its database.
  [/^(08...|57...|PGRST00[0-2])$/, 'unreachable'],
  // Deadlocks and serialisation failures; too many connections, no memory, no disk; locks.
  [/^(40...|53...|55P03|PGRST003)$/, 'server_busy'],
  [/^54...$/, 'too_large'],
]

/** What failures of calls to one schema mean. */
export interface Dialect {
  schema: string
  /** SQLSTATEs with a meaning only there. */
  codes?: Record<string, PgflowErrorCode>
  /** The hint for such a failure. */
  hints?: Partial<Record<PgflowErrorCode, string>>
}

/** What supabase-js returns of a request. */
export interface Reply {
  data: unknown
  error: unknown
  status: number
}

/**
 * The response of the database: rows or an object. supabase-js also returns as data what gateways
 * and proxies send instead, and empty bodies.
 * @throws PgflowError
 */
export function dataOf(reply: Reply, signal: AbortSignal, dialect: Dialect): object {
  const data = dataOrNull(reply, signal, dialect)
  if (data === null) throw fromFailure({}, reply.status, signal, dialect)
  return data
}

/** The same where null is a valid response. @throws PgflowError */
export function dataOrNull(
  { data, error, status }: Reply,
  signal: AbortSignal,
  dialect: Dialect,
): object | null {
  const isSuccess = status >= 200 && status < 300 && status !== 204
  if (isSuccess && !error && typeof data === 'object') return data
  throw fromFailure(typeof error === 'object' && error ? error : {}, status, signal, dialect)
}

/** The error of a failed call. */
export function fromFailure(
  failure: Failure,
  status: number,
  signal: AbortSignal,
  { schema, codes: own = {}, hints }: Dialect,
): PgflowError {
  if (signal.aborted) {
    const reason: unknown = signal.reason
    if (reason instanceof PgflowError) return reason
    return new PgflowError('aborted', 'The call was aborted.', { cause: reason })
  }
  const text = typeof failure.message === 'string' ? failure.message : ''
  // supabase-js serialises the input again, and may have less stack left than `toJson` had.
  if (status === 0 && text.startsWith('RangeError')) return notSendable(failure)
  const sqlState = sqlStateOf(failure)
  // HTML of a gateway.
  const isPage = sqlState === '' && /^\s*</.test(text)
  const meaning = meanings.find(([pattern]) => pattern.test(sqlState))?.[1]
  const code = ownValue(own, sqlState) ?? meaning ?? codeOfStatus(status, sqlState, isPage)
  const given = typeof failure.hint === 'string' && failure.hint !== '' ? failure.hint : undefined
  return new PgflowError(code, messageOf(code, status, sqlState, isPage ? '' : text), {
    hint: hints?.[code] ?? hintOf(code, schema) ?? given,
    cause: failure,
  })
}

/** The SQLSTATE, or the code of PostgREST. Without either, a gateway or proxy has responded. */
function sqlStateOf({ code }: Failure): string {
  return typeof code === 'string' && /^(PGRST\w+|[0-9A-Z]{5})$/.test(code) ? code : ''
}

function messageOf(code: PgflowErrorCode, status: number, sqlState: string, text: string): string {
  // Postgres reports only its own internals here.
  if (/^22(021|P05)$/.test(sqlState)) {
    return 'Postgres cannot read the input: look for zero bytes.'
  }
  if (code === 'offline') return 'This device is offline.'
  if (code === 'unreachable' || text === '') {
    if (status === 0 || sqlState !== '') return 'The server did not respond.'
    return `The server sent only status ${status}.`
  }
  return sqlState === '' ? clip(text, 200) : text
}

function hintOf(code: PgflowErrorCode, schema: string): string | undefined {
  if (code !== 'schema_not_exposed') return undefined
  return `Add ${schema} to the exposed schemas (config.toml: [api] schemas).`
}

function codeOfStatus(status: number, sqlState: string, isPage: boolean): PgflowErrorCode {
  if (status === 0) return isOffline() ? 'offline' : 'unreachable'
  if (status === 413) return 'too_large'
  if (status === 429) return 'rate_limited'
  // Gateways send JSON if the key is wrong. HTML with this status has other causes.
  if ((status === 401 || status === 403) && !isPage) return 'unauthorized'
  if (sqlState === '' || status === 502 || status === 503 || status === 504) return 'unreachable'
  return 'server_error'
}

/** Only a browser reports this. */
function isOffline(): boolean {
  return typeof navigator !== 'undefined' && 'onLine' in navigator && !navigator.onLine
}
