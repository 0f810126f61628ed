import { computed } from 'vue'
import type { AnyFlow, FlowSlug, UnlessRegistered } from '../flow-types.ts'
import type { ListEngine } from './list-engine.ts'
import type { RunPage, RunSummary } from '../model/entities.ts'
import { ownValue } from '../model/own-value.ts'
import { toListQuery, toPageQuery, type RunsPageQuery, type RunsQuery } from '../run-query.ts'
import type { ListObservation } from '../sync/lists/lists.ts'
import { listKey } from '../sync/lists/types.ts'

/** The key of a query's list; null for a query that cannot be, which has no list. */
function keyOf(query: RunsQuery): string | null {
  try {
    return listKey(toListQuery(query))
  } catch {
    return null
  }
}

/** What the store can do with lists of runs. */
export function createListActions(
  { tables, fetchPage }: ListEngine,
  observe: ListEngine['observe'],
) {
  const { lists, summaries } = tables

  /**
   * What the list of a query shows, newest first; empty if nobody observes it, or it cannot be.
   * @example
   * const running = pgflow.runsOf({ status: 'started' }).length
   */
  const runsOf = computed(() => (query: RunsQuery = {}): RunSummary[] => {
    const key = keyOf(query)
    const ids = (key === null ? undefined : ownValue(lists.value, key)?.ids) ?? []
    return ids.flatMap((runId) => ownValue(summaries.value, runId) ?? [])
  })

  /**
   * Keeps a list of the signed-in user's runs true until `release()` is called: their newest runs
   * of a flow and a status. Observers of equal queries share it.
   *
   * @throws PgflowError `invalid_options` for a query that cannot be.
   * @example
   * const { ready, loadMore, release } = pgflow.observeRuns({ flow: 'analyze_text' })
   * await ready
   */
  function observeRuns<Flow extends AnyFlow = never>(
    query: RunsQuery<UnlessRegistered<Flow>>,
  ): ListObservation
  function observeRuns<Slug extends FlowSlug>(query?: RunsQuery<Slug>): ListObservation
  function observeRuns(query?: RunsQuery): ListObservation {
    return observe(toListQuery(query))
  }

  /**
   * Reads one page of the signed-in user's runs, newest first, without inputs and outputs, and
   * returns it. It is not put into the store; with the migration, lists that are observed learn from
   * it what is newer than what they show.
   *
   * @throws PgflowError such as `not_signed_in`, `invalid_options` for a query that cannot be,
   * `invalid_input` for a cursor that is none, `unreachable`, `timeout`; `aborted` when the store is reset meanwhile, or an observed list
   * notices that somebody else signs in.
   * @example
   * const first = await pgflow.fetchRuns({ flow: 'analyze_text', limit: 50 })
   * const second = await pgflow.fetchRuns({ flow: 'analyze_text', limit: 50, before: first.cursor })
   */
  function fetchRuns<Flow extends AnyFlow = never>(
    query: RunsPageQuery<UnlessRegistered<Flow>>,
  ): Promise<RunPage>
  function fetchRuns<Slug extends FlowSlug>(query?: RunsPageQuery<Slug>): Promise<RunPage>
  async function fetchRuns(query?: RunsPageQuery): Promise<RunPage> {
    const { list, before } = toPageQuery(query)
    return fetchPage(list, before)
  }

  return { runsOf, observeRuns, fetchRuns }
}
