import { PgflowError } from './errors.ts'
import type { ListQuery, RunStatus } from './model/entities.ts'
import { isStorable } from './model/json.ts'

/** How many runs a page has where nothing is said. */
const defaultPageSize = 20

/** Which runs a list shows; absent or null means all. */
export interface RunsQuery<Slug extends string = string> {
  /** Runs of this flow only. */
  flow?: Slug | null | undefined
  /** Runs of this status only: they enter and leave the list when their status changes. */
  status?: RunStatus | null | undefined
  /**
   * How many runs are shown at first, and how many more with each page. `fetchRuns` reads 100 at
   * most.
   * @default 20
   */
  pageSize?: number | undefined
}

/**
 * A query with everything decided.
 * @throws PgflowError `invalid_options` for a page size, a flow or a status that cannot be.
 */
export function toListQuery(query: RunsQuery = {}): ListQuery {
  const { flow, status, pageSize = defaultPageSize } = objectOf(query)
  if (!Number.isSafeInteger(pageSize) || pageSize < 1) {
    throw new PgflowError('invalid_options', 'The pageSize of a list is a whole number from 1.')
  }
  return { flow: filterOf('flow', flow), status: filterOf('status', status), pageSize }
}

/**
 * Where a page begins.
 * @throws PgflowError `invalid_options` for what is no text.
 */
export function toCursor(before: unknown): string | null {
  return filterOf('cursor', before)
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
  throw new PgflowError('invalid_options', `The ${name} of a list is a text or null.`)
}
