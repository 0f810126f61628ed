import { PgflowError } from './errors.ts'
import type { RunStatus } from './model/entities.ts'
import type { ListQuery } from './sync/list-types.ts'

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
 * @throws PgflowError `invalid_options` for a page size that cannot be.
 */
export function toListQuery({ flow, status, pageSize = defaultPageSize }: RunsQuery): ListQuery {
  if (!Number.isInteger(pageSize) || pageSize < 1) {
    throw new PgflowError('invalid_options', `A page of ${pageSize} runs is not possible.`, {
      hint: 'Pass a whole number, 1 or more.',
    })
  }
  return { flow: flow ?? null, status: status ?? null, pageSize }
}
