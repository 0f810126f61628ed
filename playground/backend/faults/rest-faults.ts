import { setTimeout as wait } from 'node:timers/promises'
import type { RequestHandler } from '../http.ts'
import type { Tokens } from '../tokens.ts'
import type { RestFailure } from './state.ts'
import type { Switchboard } from './switchboard.ts'

export interface RestFaultOptions {
  faults: Pick<Switchboard, 'state'>
  tokens: Tokens
  /** Ends waits early. */
  closing: AbortSignal
}

/** REST and Auth as they are when the state says that they are slow or fail. */
export function withRestFaults(
  rest: RequestHandler,
  { faults, tokens, closing }: RestFaultOptions,
): RequestHandler {
  return {
    async check(headers, url) {
      const refused = (await rest.check(headers, url)) ?? (await checkToken(headers, url, tokens))
      if (!isRest(url)) return refused
      const { restDelayMs } = faults.state
      if (restDelayMs > 0) {
        await wait(restDelayMs, undefined, { signal: closing }).catch(() => undefined)
      }
      return refused ?? answerFailing(faults.state.restFailure)
    },
    async fetch(request) {
      const response = await rest.fetch(request)
      const { state } = faults
      const isLost = state.restFailure === 'lost_answer' && isRest(new URL(request.url))
      return state.offline || isLost ? undefined : response
    },
  }
}

function isRest({ pathname }: URL): boolean {
  return pathname.startsWith('/rest/v1')
}

/** Which pages of Auth ask who the caller is; the others take whoever has a key. */
const signedInPaths = new Set(['/auth/v1/user', '/auth/v1/logout'])

/** Refuses a token that has ended before its time: what has ended by itself, the API finds out. */
async function checkToken(
  headers: Headers,
  url: URL,
  tokens: Tokens,
): Promise<Response | undefined> {
  if (!tokens.areExpired) return undefined
  const isOfAuth = signedInPaths.has(url.pathname)
  if (!isOfAuth && !isRest(url)) return undefined
  const [, token] = /^Bearer\s+(.+)$/i.exec(headers.get('authorization') ?? '') ?? []
  const check = token === undefined ? undefined : await tokens.verify(token)
  if (check?.ok !== false || check.fault.code !== 'InvalidJWTToken') return undefined
  if (isOfAuth) {
    const msg =
      'invalid JWT: unable to parse or verify signature, token has invalid claims: token is expired'
    return Response.json({ code: 403, error_code: 'bad_jwt', msg }, { status: 403 })
  }
  const authenticate = 'Bearer error="invalid_token", error_description="JWT expired"'
  return Response.json(
    { code: 'PGRST303', details: null, hint: null, message: 'JWT expired' },
    { status: 401, headers: { 'www-authenticate': authenticate } },
  )
}

const page = `<html>
<head><title>502 Bad Gateway</title></head>
<body><h1>502 Bad Gateway</h1></body>
</html>
`

const failures: Record<RestFailure, () => Response | undefined> = {
  unavailable: () => {
    const message = 'Could not query the database for the schema cache. Retrying.'
    return Response.json({ code: 'PGRST002', details: null, hint: null, message }, { status: 503 })
  },
  bad_gateway: () =>
    new Response(page, { status: 502, headers: { 'content-type': 'text/html; charset=utf-8' } }),
  rate_limited: () => Response.json({ message: 'API rate limit exceeded' }, { status: 429 }),
  lost_answer: () => undefined,
}

function answerFailing(failure: RestFailure | null): Response | undefined {
  return failure === null ? undefined : failures[failure]()
}
