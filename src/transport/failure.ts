import { PgflowError, type PgflowErrorCode } from '../errors.ts'
import { notSendable } from '../model/json.ts'
import { ownValue } from '../model/own-value.ts'

/** How supabase-js reports a call that failed. What a server sends need not be of these types. */
export interface Failure {
  code?: unknown
  message?: unknown
  hint?: unknown
}

/** What the SQLSTATEs of this project's SQL and of Postgres mean, and the codes of PostgREST. */
const meanings: readonly (readonly [RegExp, PgflowErrorCode])[] = [
  [/^PT404$/, 'flow_not_found'],
  [/^PT403$/, 'flow_not_allowed'],
  [/^PT401$/, 'not_signed_in'],
  [/^PT409$/, 'run_conflict'],
  [/^(PT422|22...|PGRST10[0-3])$/, 'invalid_input'],
  [/^42501$/, 'not_granted'],
  // A schema, table or function that is not there, or not as this version calls it.
  [/^(3F000|42883|42P01|PGRST20.)$/, 'not_migrated'],
  [/^PGRST106$/, 'schema_not_exposed'],
  [/^(28...|PGRST30.)$/, 'unauthorized'],
  [/^57014$/, 'timeout'],
  // Connections, operators who intervene, and PostgREST without its database.
  [/^(08...|57...|PGRST00[0-2])$/, 'unreachable'],
  // Deadlocks and serialisation; too many connections, no memory, no disk; locks of others.
  [/^(40...|53...|55P03|PGRST003)$/, 'server_busy'],
  [/^54...$/, 'too_large'],
]

/** What failures of calls to one schema mean. */
export interface Dialect {
  schema: string
  /** SQLSTATEs that mean something there only. */
  codes?: Record<string, PgflowErrorCode>
  /** What to do there. */
  hints?: Partial<Record<PgflowErrorCode, string>>
}

/** Names the cause of a failed call. */
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
  const said = typeof failure.message === 'string' ? failure.message : ''
  // supabase-js writes the input once more, and has less room for it than `toJson` had.
  if (status === 0 && said.startsWith('RangeError')) return notSendable(failure)
  const sqlState = typeof failure.code === 'string' ? failure.code : ''
  const meaning = meanings.find(([pattern]) => pattern.test(sqlState))?.[1]
  const code = ownValue(own, sqlState) ?? meaning ?? codeOfStatus(status)
  const given = typeof failure.hint === 'string' && failure.hint !== '' ? failure.hint : undefined
  return new PgflowError(code, messageOf(code, sqlState, said), {
    hint: hints?.[code] ?? hintOf(code, schema) ?? given,
    cause: failure,
  })
}

function messageOf(code: PgflowErrorCode, sqlState: string, said: string): string {
  // What Postgres says of a text is about its own insides.
  if (/^22(021|P05)$/.test(sqlState)) {
    return 'Postgres cannot read the input: look for zero bytes.'
  }
  if (code === 'offline') return 'This device is offline.'
  if (code === 'unreachable' || said === '') return 'The server did not answer.'
  return said
}

function hintOf(code: PgflowErrorCode, schema: string): string | undefined {
  if (code !== 'schema_not_exposed') return undefined
  return `Add ${schema} to the exposed schemas of the API settings (config.toml: [api] schemas).`
}

function codeOfStatus(status: number): PgflowErrorCode {
  if (status === 0) return isOffline() ? 'offline' : 'unreachable'
  if (status === 502 || status === 503 || status === 504) return 'unreachable'
  if (status === 401 || status === 403) return 'unauthorized'
  if (status === 413) return 'too_large'
  if (status === 429) return 'rate_limited'
  return 'server_error'
}

/** Only a browser says so; where there is none, nobody knows. */
function isOffline(): boolean {
  return typeof navigator !== 'undefined' && 'onLine' in navigator && !navigator.onLine
}
