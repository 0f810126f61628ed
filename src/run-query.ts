import { PgflowError } from './errors.ts'
import type { RunStatus } from './model/entities.ts'
import { isStorable } from './model/json.ts'
import type { ListQuery } from './sync/lists/types.ts'

/** How many runs a page has where nothing is said. */
const defaultPageSize = 20

/** Which runs a list shows; absent or null means all. */
export interface RunsQuery<Slug extends string = string> {
  /** Runs of this flow only. */
  flow?: Slug | null | undefined
  /** Runs of this status only: they enter and leave the list when their status changes. */
  status?: RunStatus | null | undefined
  /**
   * How many runs are shown at first, and how many more with each page.
   * @default 20
   */
  pageSize?: number | undefined
}

/** Which page of a list to read. */
export interface RunsPageQuery<Slug extends string = string> {
  /** Runs of this flow only. */
  flow?: Slug | null | undefined
  /** Runs of this status only. */
  status?: RunStatus | null | undefined
  /**
   * How many runs to read, 100 at most.
   * @default 20
   */
  limit?: number | undefined
  /** Where to begin: the `cursor` of the page before; null for the newest. */
  before?: string | null | undefined
}

/**
 * A query with everything decided.
 * @throws PgflowError `invalid_options` for a page size, a flow or a status that cannot be.
 */
export function toListQuery(query: RunsQuery = {}): ListQuery {
  const { flow, status, pageSize = defaultPageSize } = objectOf(query)
  if (!Number.isSafeInteger(pageSize) || pageSize < 1) {
    throw new PgflowError(
      'invalid_options',
      'A page of a list is a whole number of runs, 1 or more.',
    )
  }
  return { flow: filterOf('flow', flow), status: filterOf('status', status), pageSize }
}

/**
 * The same for one page.
 * @throws PgflowError `invalid_options`
 */
export function toPageQuery(query: RunsPageQuery = {}) {
  const { limit, before, ...which } = objectOf(query)
  const list = toListQuery({ ...which, pageSize: limit })
  return { list, before: filterOf('cursor', before) }
}

/** A program without types may pass anything. */
function objectOf<Query extends object>(query: Query): Query {
  const given: unknown = query
  if (typeof given === 'object' && given !== null) return query
  throw new PgflowError('invalid_options', 'The query of a list is an object.')
}

/** What a list is narrowed to; a query from an address bar can hold anything. */
function filterOf(name: string, value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' && isStorable(value)) return value
  throw new PgflowError('invalid_options', `The ${name} of a list is one text, or null for all.`)
}
