import { PgflowError, type PgflowErrorCode } from '../errors.ts'

/** How supabase-js reports a call that failed. */
export interface Failure {
  code?: string | null
  message: string
  hint?: string | null
}

/** The SQLSTATEs of this project's SQL and of Postgres, and the codes of PostgREST. */
const codes: Record<string, PgflowErrorCode> = {
  PT404: 'flow_not_found',
  PT403: 'flow_not_allowed',
  PT401: 'not_signed_in',
  PT409: 'run_conflict',
  PT422: 'invalid_input',
  '22P02': 'invalid_input',
  // A text with a zero byte, which JSON can hold and Postgres cannot.
  '22P05': 'invalid_input',
  '42501': 'not_granted',
  PGRST102: 'invalid_input',
  PGRST106: 'schema_not_exposed',
  PGRST202: 'not_migrated',
  PGRST301: 'unauthorized',
  PGRST302: 'unauthorized',
  PGRST303: 'unauthorized',
}

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
  { schema, codes: own, hints }: Dialect,
): PgflowError {
  if (signal.aborted) {
    const reason: unknown = signal.reason
    if (reason instanceof PgflowError) return reason
    return new PgflowError('aborted', 'The call was aborted.', { cause: reason })
  }
  const sqlState = failure.code ?? ''
  const code = own?.[sqlState] ?? codes[sqlState] ?? codeOfStatus(status)
  return new PgflowError(code, messageOf(code, failure), {
    hint: hints?.[code] ?? hintOf(code, schema) ?? failure.hint ?? undefined,
    cause: failure,
  })
}

function messageOf(code: PgflowErrorCode, failure: Failure): string {
  if (code === 'offline') return 'This device is offline.'
  return code === 'unreachable' ? 'The server did not answer.' : failure.message
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
