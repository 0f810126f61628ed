import { AsyncLocalStorage } from 'node:async_hooks'
import { App } from '@supabase/lite'
import { withAnonymousSignIn } from './anonymous.ts'
import type { Database } from './database.ts'
import type { RequestHandler } from './http.ts'
import { quoteJsonTexts } from './json-texts.ts'
import type { Keys } from './keys.ts'
import { hasInheritedName } from './query-names.ts'
import { asPostgrest } from './rest-errors.ts'
import { readTarget, type RestTarget } from './rest-target.ts'
import { TurnsEnded } from './turns.ts'

/** REST and Auth of the embedded Supabase: answers requests for `/rest/v1` and `/auth/v1`. */
export interface Rest extends RequestHandler {
  close(): Promise<void>
}

export interface RestOptions {
  db: Database
  keys: Keys
  /** The schemas PostgREST exposes. */
  schemas: readonly string[]
  /** The most rows of a reply, as `db-max-rows` of PostgREST; what is over is cut without a word. */
  maxRows?: number | undefined
}

/** Serves REST and Auth over the database, as the roles and with the privileges of Supabase. */
export async function createRest({ db, keys, schemas, maxRows }: RestOptions): Promise<Rest> {
  const app = new App({
    connection: db.connection,
    api: { schemas: [...schemas] },
    auth: { jwt_secret: keys.secret },
  })
  await warmUp(db)
  const fetchAuth = withAnonymousSignIn({
    fetch: (request) => app.fetch(request),
    connection: db.connection,
    keys,
  })
  // PostgREST reloads its schema cache on this notification; migrations send it.
  const stopListening = await db.listen('pgrst', () => void db.connection.clearSchemaCache())
  return {
    check: async (headers, url) =>
      (await checkApiKey(headers, url, keys)) ?? checkNames(url.searchParams),
    // Everything the answer needs is read before the connection goes to the next in line.
    fetch: (request) =>
      db
        .exclusive(() =>
          quietly(async () => {
            const target = readTarget(request, schemas)
            const response = target
              ? await app.fetch(await quoteJsonTexts(request, target, db.connection))
              : await fetchAuth(request)
            const body = hasBody(response) ? await response.arrayBuffer() : null
            if (!body) return new Response(null, response)
            if (maxRows === undefined || !response.ok || !(await hasRows(db, target))) {
              return asPostgrest(response, body)
            }
            const cut = new Response(cutRows(body, maxRows), response)
            cut.headers.delete('content-length')
            return cut
          }),
        )
        .catch(answerClosing),
    close: stopListening,
  }
}

/**
 * The gateway in front of a Supabase project: no request without a valid key, and the key is the
 * identity of whoever has no token of their own.
 */
async function checkApiKey(headers: Headers, url: URL, keys: Keys): Promise<Response | undefined> {
  const key = headers.get('apikey') ?? url.searchParams.get('apikey')
  if (!key) return Response.json({ message: 'No API key found in request' }, { status: 401 })
  const check = await keys.verify(key)
  if (!check.ok) return Response.json({ message: 'Invalid API key' }, { status: 401 })
  if (!headers.has('authorization')) headers.set('authorization', `Bearer ${key}`)
  return undefined
}

function checkNames(query: URLSearchParams): Response | undefined {
  if (!hasInheritedName(query)) return undefined
  const message = 'The embedded backend has no columns with names that every object has'
  return Response.json({ message }, { status: 400 })
}

/**
 * On its first request the REST layer looks for row level security, and where it finds some it
 * grants all privileges on all tables of that schema to the API roles. Real Supabase does not, so
 * the first request happens here, inside a transaction whose rollback the layer itself sends when
 * the request fails: it remembers that it must switch roles, and the grants never were.
 */
async function warmUp(db: Database): Promise<void> {
  const { connection } = db
  await db.exclusive(async () => {
    await connection.driver.exec('begin')
    const auth = { uid: null, role: 'anon', jwt: null }
    const failure = new Error('undo the grants')
    await connection.withContext({ auth }, () => Promise.reject(failure)).catch(ignore(failure))
    await connection.introspect({ useCache: true })
  })
}

function answerClosing(error: unknown): Response {
  if (!(error instanceof TurnsEnded)) throw error
  return Response.json({ message: 'The backend is closing' }, { status: 503 })
}

function ignore(expected: Error): (error: unknown) => void {
  return (error) => {
    if (error !== expected) throw error
  }
}

function hasBody(response: Response): boolean {
  return response.body !== null && ![101, 204, 205, 304].includes(response.status)
}

/** Whether a reply is made of rows: a function that returns one value is never cut. */
async function hasRows({ connection }: Database, target: RestTarget | undefined): Promise<boolean> {
  if (!target?.isFunction) return true
  const { rows } = await connection.driver.query<{ proretset: boolean }>(
    `select proretset from pg_catalog.pg_proc
      where proname = $1 and pronamespace = to_regnamespace(quote_ident($2))`,
    [target.name, target.schema],
  )
  return rows.some((row) => row.proretset)
}

function cutRows(body: ArrayBuffer, maxRows: number): string {
  const text = new TextDecoder().decode(body)
  const value: unknown = text.startsWith('[') ? JSON.parse(text) : undefined
  return Array.isArray(value) ? JSON.stringify(value.slice(0, maxRows)) : text
}

/** True while the code that asks runs on behalf of a REST request. */
const inRequest = new AsyncLocalStorage<true>()

/**
 * The REST layer prints every error although it also answers with it. Inside the request the terminal
 * stays clean: anybody who can reach the port could fill it.
 */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const print = console.error
  const filtered = (...args: unknown[]) => {
    if (inRequest.getStore() && args[0] instanceof Error) return
    print(...args)
  }
  console.error = filtered
  try {
    return await inRequest.run(true, work)
  } finally {
    if (console.error === filtered) console.error = print
  }
}
