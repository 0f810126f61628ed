import type { PgliteConnection } from '@supabase/lite/pglite'
import { decodeJwt } from 'jose'
import type { Keys } from './keys.ts'

/** What answers a request for Auth. */
export type AuthFetch = (request: Request) => Promise<Response>

export interface AnonymousSignInOptions {
  fetch: AuthFetch
  connection: PgliteConnection
  keys: Keys
}

type JsonObject = Record<string, unknown>

/**
 * Adds anonymous sign-in to an Auth that lacks it, as GoTrue does it: a sign-up without email and
 * phone makes a user with neither, whose tokens and answers say `is_anonymous`. The caller holds
 * the connection.
 */
export function withAnonymousSignIn(options: AnonymousSignInOptions): AuthFetch {
  const { fetch } = options
  return async (request) => {
    const { pathname } = new URL(request.url)
    if (request.method === 'POST' && pathname === '/auth/v1/signup') {
      const body = await readJson(request.clone())
      // GoTrue takes null for an object without fields.
      const fields = body === null ? {} : body
      if (isObject(fields) && !fields.email && !fields.phone) {
        return signUpNobody(request, fields.data, options)
      }
    }
    const response = await fetch(request)
    const tellsUser = pathname === '/auth/v1/token' || pathname === '/auth/v1/user'
    return tellsUser && response.ok ? asAnonymous(response, options) : response
  }
}

/** Signs up an account that nobody can sign in to, and takes its email and password away. */
async function signUpNobody(
  request: Request,
  data: unknown,
  options: AnonymousSignInOptions,
): Promise<Response> {
  const name = crypto.randomUUID()
  const headers = new Headers(request.headers)
  headers.delete('content-length')
  const account = { email: `${name}@anonymous.invalid`, password: crypto.randomUUID() }
  const body = JSON.stringify(account)
  const response = await options.fetch(new Request(request.url, { method: 'POST', headers, body }))
  const session = await readObject(response.clone())
  const user = session?.user
  if (!response.ok || !isObject(user)) return response
  const { driver } = options.connection
  await driver.query(
    `update auth.users
        set email = null, encrypted_password = null, is_anonymous = true,
            raw_app_meta_data = '{}', raw_user_meta_data = $2::jsonb
      where id::text = $1`,
    [user.id, JSON.stringify(isObject(data) ? data : {})],
  )
  await driver.query('delete from auth.identities where user_id::text = $1', [user.id])
  return asAnonymous(response, options)
}

/** An answer about a user or a session, corrected where the user is anonymous. */
async function asAnonymous(
  response: Response,
  { connection, keys }: AnonymousSignInOptions,
): Promise<Response> {
  const answer = await readObject(response.clone())
  const told = isObject(answer?.user) ? answer.user : answer
  const { rows } = await connection.driver.query<{ data: JsonObject | null }>(
    `select raw_user_meta_data as data from auth.users where id::text = $1 and is_anonymous`,
    [told?.id ?? null],
  )
  const [row] = rows
  if (!answer || !told || !row) return response
  const user = {
    ...told,
    email: '',
    app_metadata: {},
    user_metadata: row.data ?? {},
    identities: [],
    is_anonymous: true,
  }
  if (told === answer) return withBody(response, user)
  const token = typeof answer.access_token === 'string' ? answer.access_token : ''
  return withBody(response, { ...answer, access_token: await signAgain(token, user, keys), user })
}

async function signAgain(token: string, user: JsonObject, keys: Keys): Promise<string> {
  const { exp = 0, iat, ...claims } = decodeJwt(token)
  return keys.sign({
    ...claims,
    iat,
    exp,
    role: 'authenticated',
    email: '',
    phone: '',
    app_metadata: user.app_metadata,
    user_metadata: user.user_metadata,
    aal: 'aal1',
    amr: [{ method: 'anonymous', timestamp: iat }],
    is_anonymous: true,
  })
}

/** Without what describes the old body, or would set a cookie with the old token. */
function withBody(response: Response, body: JsonObject): Response {
  const headers = new Headers(response.headers)
  for (const name of ['content-length', 'set-cookie']) headers.delete(name)
  headers.set('content-type', 'application/json')
  return new Response(JSON.stringify(body), { status: response.status, headers })
}

async function readObject(message: Response): Promise<JsonObject | undefined> {
  const value = await readJson(message)
  return isObject(value) ? value : undefined
}

async function readJson(message: Request | Response): Promise<unknown> {
  try {
    return await message.json()
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
