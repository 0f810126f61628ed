import type { Backend } from '../../../playground/backend/index.ts'

/** A request as an attacker writes it: any schema, any token, any header. */
export interface RawRequest {
  schema: string
  method?: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE'
  /** Whose; none means the API key of anon. */
  token?: string | undefined
  body?: unknown
  headers?: Record<string, string>
}

/** All of an answer that does not differ from one moment to the next. */
export interface RawAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

/** Asks PostgREST without supabase-js. */
export async function ask(
  backend: Pick<Backend, 'url' | 'anonKey'>,
  path: string,
  { schema, method = 'POST', token = backend.anonKey, body, headers }: RawRequest,
): Promise<RawAnswer> {
  const response = await fetch(`${backend.url}/rest/v1/${path}`, {
    method,
    headers: {
      apikey: backend.anonKey,
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-profile': schema,
      'accept-profile': schema,
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const entries = [...response.headers].filter(([name]) => name !== 'date')
  return {
    status: response.status,
    headers: Object.fromEntries(entries),
    body: await response.text(),
  }
}

/** The code of an answer that is an error. */
export function codeOf({ body }: RawAnswer): string | undefined {
  const answer: unknown = body === '' ? undefined : JSON.parse(body)
  const hasCode = typeof answer === 'object' && answer !== null && 'code' in answer
  return hasCode && typeof answer.code === 'string' ? answer.code : undefined
}
