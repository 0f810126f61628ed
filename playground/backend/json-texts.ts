import type { PgliteConnection } from '@supabase/lite/pglite'
import type { RestTarget } from './rest-target.ts'

/**
 * PostgREST takes a string as a value of type json or jsonb for that string. The REST layer takes it
 * for JSON already: it refuses `"text"`, and of `"5"` it makes a number. Written as JSON once more,
 * the string arrives as what it is; in a column once more, where the layer reads it twice.
 */
export async function quoteJsonTexts(
  request: Request,
  target: RestTarget,
  connection: PgliteConnection,
): Promise<Request> {
  if (!hasJson(request)) return request
  const body = parse(await request.clone().text())
  if (typeof body !== 'object' || body === null) return request
  const schema = await connection.introspect({ useCache: true })
  const names = new Set(
    target.isFunction ? argumentsOf(target, schema, body) : columnsOf(target, schema),
  )
  if (names.size === 0) return request
  const write = target.isFunction
    ? JSON.stringify
    : (text: string) => JSON.stringify(JSON.stringify(text))
  const quote = (row: unknown) => quoteTexts(row, names, write)
  const quoted = Array.isArray(body) ? body.map(quote) : quote(body)
  const written = stringify(quoted)
  return written === undefined ? request : new Request(request, { body: written })
}

type Schema = Awaited<ReturnType<PgliteConnection['introspect']>>

function argumentsOf({ schema, name }: RestTarget, { functions }: Schema, given: object): string[] {
  return (functions ?? [])
    .filter((each) => each.schema === schema && each.name === name)
    .filter(({ arg_names }) => Object.keys(given).every((key) => arg_names.includes(key)))
    .flatMap(({ arg_names, arg_types }) => arg_names.filter((_, index) => isJson(arg_types[index])))
}

function columnsOf({ schema, name }: RestTarget, { columns }: Schema): string[] {
  return columns
    .filter((column) => column.schema === schema && column.table === name)
    .filter((column) => isJson(column.pg_type ?? column.type))
    .map((column) => column.name)
}

function quoteTexts(
  row: unknown,
  names: ReadonlySet<string>,
  write: (text: string) => string,
): unknown {
  if (typeof row !== 'object' || row === null) return row
  const quoted = Object.entries(row).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' && names.has(name) ? write(value) : value,
  ])
  return Object.fromEntries(quoted) as unknown
}

function hasJson({ method, headers }: Request): boolean {
  const type = headers.get('content-type') ?? ''
  return !['GET', 'HEAD'].includes(method) && (type === '' || type.includes('json'))
}

function isJson(type: string | undefined): boolean {
  return type === 'json' || type === 'jsonb'
}

/** What is nested too deeply to be written is for the REST layer to refuse. */
function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

/** What is no JSON is for the REST layer to refuse. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
