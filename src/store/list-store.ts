import { defineStore, getActivePinia } from 'pinia'
import { computed, onScopeDispose } from 'vue'
import type { AnyFlow, FlowSlug, UnlessRegistered } from '../flow-types.ts'
import type { RunPage, RunSummary } from '../model/entities.ts'
import { ownValue } from '../model/own-value.ts'
import { readQuery, toCursor, toListQuery, type RunsQuery } from '../run-query.ts'
import type { ListObservation } from '../sync/lists/lists.ts'
import { listKey } from '../sync/lists/types.ts'
import { takeOverHydratedLists } from './hydrated-lists.ts'
import { listStoreId } from './installation.ts'
import { useListEngine } from './list-engine.ts'

/**
 * The Pinia store of lists of runs. Only `useRuns` imports it: an app without lists has none of it
 * in its bundle. Runs that `usePgflowStore` holds too are equally new in both stores.
 *
 * @throws PgflowError `not_installed` when the plugin is not installed.
 * @example
 * const lists = usePgflowListStore()
 * const { ready, release } = lists.observeRuns({ flow: 'analyze_text' })
 */
export const usePgflowListStore = /* @__PURE__ */ defineStore(listStoreId, () => {
  const { tables, observe, fetchPage, watchSession, reset, stop } = useListEngine()
  const { lists, summaries } = tables
  takeOverHydratedLists(getActivePinia()?.state.value[listStoreId])
  watchSession()
  onScopeDispose(stop)

  /**
   * The runs of a query, newest first; empty if the list is not observed or the query is not valid.
   * @example
   * const running = lists.runsOf({ status: 'started' }).length
   */
  const runsOf = computed(() => (query: RunsQuery = {}): RunSummary[] => {
    const { query: asked } = readQuery(query)
    const key = asked && listKey(asked)
    const ids = (key === null ? undefined : ownValue(lists.value, key)?.ids) ?? []
    return ids.flatMap((runId) => ownValue(summaries.value, runId) ?? [])
  })

  /**
   * Keeps a list of the signed-in user's runs up to date until `release()` is called: their newest
   * runs of a flow and a status. Observers of equal queries share it.
   *
   * @throws PgflowError `invalid_options` for a query that is not valid.
   * @example
   * const { ready, loadMore, release } = lists.observeRuns({ flow: 'analyze_text' })
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
   * returns it. It is not put into the store; with the migration, newer rows are merged into the
   * lists that are observed.
   *
   * @param before - where to begin: the `cursor` of the page before; null for the newest runs.
   * @throws PgflowError such as `not_signed_in`, `invalid_options` for a query that is not valid,
   * `invalid_input` for an invalid cursor or a `pageSize` over 100, `unreachable`, `timeout`;
   * `aborted` when the store is reset meanwhile, or another user signs in while a list is observed.
   * @example
   * const first = await lists.fetchRuns({ flow: 'analyze_text', pageSize: 50 })
   * const second = await lists.fetchRuns({ flow: 'analyze_text', pageSize: 50 }, first.cursor)
   */
  function fetchRuns<Flow extends AnyFlow = never>(
    query: RunsQuery<UnlessRegistered<Flow>>,
    before?: string | null,
  ): Promise<RunPage>
  function fetchRuns<Slug extends FlowSlug>(
    query?: RunsQuery<Slug>,
    before?: string | null,
  ): Promise<RunPage>
  async function fetchRuns(query?: RunsQuery, before?: string | null): Promise<RunPage> {
    return fetchPage(toListQuery(query), toCursor(before))
  }

  /**
   * Drops all lists, and reads those that are observed again. `$reset` of `usePgflowStore` does so
   * too.
   * @example
   * lists.$reset()
   */
  function $reset(): void {
    reset()
  }

  return { lists, summaries, runsOf, observeRuns, fetchRuns, $reset }
})
