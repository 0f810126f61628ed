import { isDeepStrictEqual } from 'node:util'
import { parse, patch } from '@decimalturn/toml-patch'
import { CliError, messageOf } from '../errors.ts'

const schema = 'pgflow_client'

/** The schemas that Supabase's CLI exposes if the file sets none. */
const defaults = ['public', 'graphql_public']
const defaultList = `schemas = [${[...defaults, schema].map((name) => `"${name}"`).join(', ')}]`

/** The same `config.toml`, which exposes our schema. */
export interface ExposedConfig {
  text: string
  /** Whether the API is switched off there, so that exposing a schema does nothing. */
  isApiOff: boolean
}

type TomlTable = Record<string, unknown>

/**
 * Adds `pgflow_client` to the exposed schemas of a `config.toml`, and to those of each remote that
 * has its own. Everything else stays, comments and format included.
 * @throws CliError for a file that is no TOML, or whose schemas are no list
 */
export function exposeSchema(text: string, path: string): ExposedConfig {
  const config = parseConfig(text, path)
  const changed = parseConfig(text, path)
  const api = tableIn(changed, 'api', path)
  // A remote without a list of its own has the one above.
  const remotes = Object.entries(tableIn(changed, 'remotes', path) ?? {})
  const tables = remotes.map(([name]) => tableIn(tableOf(changed.remotes, path), name, path))
  for (const remote of tables) {
    const own = remote && tableIn(remote, 'api', path)
    if (own?.schemas !== undefined) own.schemas = withSchema(own.schemas, path)
  }
  const isApiOff = api?.enabled === false
  if (api?.schemas === undefined) {
    // Parsed, as the rest is: objects of another prototype would not be the same.
    if (api) api.schemas = [...defaults, schema]
    else changed.api = parseConfig(defaultList, path)
    return { text: addSchemas(text, changed, path), isApiOff }
  }
  api.schemas = withSchema(api.schemas, path)
  if (isDeepStrictEqual(config, changed)) return { text, isApiOff }
  return { text: checked(patch(text, changed), changed, path), isApiOff }
}

/** Below the header of `[api]`, where there is one; the library would put it at the end. */
function addSchemas(text: string, changed: TomlTable, path: string): string {
  const inserted = text.replace(
    /^([ \t]*\[[ \t]*api[ \t]*\][^\r\n]*)(\r?\n|$)/m,
    (_, header: string, lineEnd: string) => {
      const newLine = lineEnd === '' ? '\n' : lineEnd
      return `${header}${newLine}${defaultList}${newLine}`
    },
  )
  if (inserted !== text && isSame(inserted, changed)) return inserted
  return checked(patch(text, changed), changed, path)
}

function withSchema(schemas: unknown, path: string): unknown[] {
  if (!Array.isArray(schemas) || !schemas.every((name) => typeof name === 'string')) {
    throw new CliError(
      `The exposed schemas in ${path} are not a list of names.`,
      `Write them as a list, such as schemas = ["public", "graphql_public", "${schema}"].`,
    )
  }
  return schemas.includes(schema) ? schemas : [...schemas, schema]
}

function parseConfig(text: string, path: string): TomlTable {
  try {
    return tableOf(parse(text), path)
  } catch (cause) {
    throw notReadable(path, cause)
  }
}

function tableIn(table: TomlTable, key: string, path: string): TomlTable | undefined {
  return Object.hasOwn(table, key) ? tableOf(table[key], path) : undefined
}

function tableOf(value: unknown, path: string): TomlTable {
  if (isTable(value)) return value
  throw notReadable(path, new Error('it has a value where Supabase has a table'))
}

function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSame(text: string, expected: TomlTable): boolean {
  try {
    return isDeepStrictEqual(parse(text), expected)
  } catch {
    return false
  }
}

/** Checks the result, since the library has not seen this file before: nothing else may change. */
function checked(text: string, expected: TomlTable, path: string): string {
  if (isSame(text, expected)) return text
  throw new CliError(
    `${path} cannot be changed without changing what else it says.`,
    `Add "${schema}" to schemas in its section [api] yourself, and run this again.`,
  )
}

function notReadable(path: string, cause: unknown): CliError {
  if (cause instanceof CliError) return cause
  return new CliError(
    `${path} cannot be read as TOML: ${messageOf(cause)}`,
    'Correct it there ("supabase start" needs it too), and run this again.',
    { cause },
  )
}
