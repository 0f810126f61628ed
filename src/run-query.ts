import { PgflowError, toPgflowError } from './errors.ts'
import type { ListQuery, RunStatus } from './model/entities.ts'
import { isStorable } from './model/json.ts'

/** The default number of runs of a page. */
const defaultPageSize = 20

/** Which runs a list shows; absent or null means all. */
export interface RunsQuery<Slug extends string = string> {
  /** Runs of this flow only. */
  flow?: Slug | null | undefined
  /** Runs of this status only. They enter and leave the list when their status changes. */
  status?: RunStatus | null | undefined
  /**
   * How many runs are shown at first, and how many more with each page. `fetchRuns` reads 100 at
   * most.
   * @default 20
   */
  pageSize?: number | undefined
}

/**
 * A query with all defaults filled in.
 * @throws PgflowError `invalid_options` for an invalid page size, flow or status.
 */
export function toListQuery(query: RunsQuery = {}): ListQuery {
  const { flow, status, pageSize = defaultPageSize } = objectOf(query)
  if (!Number.isSafeInteger(pageSize) || pageSize < 1) {
    throw new PgflowError('invalid_options', 'The pageSize of a list is a whole number from 1.')
  }
  return { flow: filterOf('flow', flow), status: filterOf('status', status), pageSize }
}

/** The same for a query that may come from the address of the page: the query, or its error. */
export function readQuery(
  query: RunsQuery,
): { query: ListQuery; error: null } | { query: null; error: PgflowError } {
  try {
    return { query: toListQuery(query), error: null }
  } catch (thrown) {
    return { query: null, error: toPgflowError(thrown) }
  }
}

/**
 * Where a page begins.
 * @throws PgflowError `invalid_options` if it is not a text.
 */
export function toCursor(before: unknown): string | null {
  return filterOf('cursor', before)
}

/** Callers without TypeScript may pass anything. */
function objectOf<Query extends object>(query: Query): Query {
  const given: unknown = query
  if (typeof given === 'object' && given !== null) return query
  throw new PgflowError('invalid_options', 'The query of a list is an object.')
}

/** Validates a flow or status: a query from an address bar can contain anything. */
function filterOf(name: string, value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' && isStorable(value)) return value
  throw new PgflowError('invalid_options', `The ${name} of a list is a text or null.`)
}
