import { computed, toValue, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import type { PlainError } from '../errors.ts'
import type { AnyFlow, FlowSlug, UnlessRegistered } from '../flow-types.ts'
import type { ListConnection, RunSummary } from '../model/entities.ts'
import { ownValue } from '../model/own-value.ts'
import { readQuery, type RunsQuery } from '../run-query.ts'
import { usePgflowListStore } from '../store/list-store.ts'
import type { ListObservation } from '../sync/lists/lists.ts'
import { listKey } from '../sync/lists/types.ts'
import { observeInScope } from './observe-in-scope.ts'

/** What `useRuns` returns. */
export interface UseRunsReturn {
  /** The runs, newest first, without inputs and outputs; use `useRun` for those of one run. */
  runs: ComputedRef<RunSummary[]>
  /**
   * Shows one more page, if there is one. A second call meanwhile adds no further page.
   * @throws PgflowError
   */
  loadMore: () => Promise<void>
  /** Whether there are older runs. */
  hasMore: ComputedRef<boolean>
  /** Whether the first page, another one or a `refresh` is being read. */
  isLoading: ComputedRef<boolean>
  /** The connection status; `idle` while the list is not observed. */
  connection: ComputedRef<ListConnection>
  /** Why the list cannot be shown, or is not live; null if there is no error. */
  error: ComputedRef<PlainError | null>
  /**
   * Reads the list from the database now.
   * @throws PgflowError
   */
  refresh: () => Promise<void>
  /**
   * Resolves once the first page is in the store, for `<Suspense>`.
   * @throws PgflowError
   */
  ready: Promise<void>
}

/**
 * A live list of the runs that the signed-in user started, while the component is mounted. The
 * query may change; components that show the same list share it. With private channels the list
 * receives every change. Otherwise it is read again every 2 to 15 s; runs that this client itself
 * starts or follows are shown at once.
 *
 * @typeParam Flow - any flow that is not registered in `PgflowFlows`: `typeof AnalyzeText`.
 * @param query - which runs: an object, a ref or a getter. Default: all of them.
 * @example
 * const { runs, loadMore, hasMore } = useRuns({ flow: 'analyze_text', status: 'started' })
 */
export function useRuns<Flow extends AnyFlow = never>(
  query: MaybeRefOrGetter<RunsQuery<UnlessRegistered<Flow>>>,
): UseRunsReturn
export function useRuns<Slug extends FlowSlug>(
  query?: MaybeRefOrGetter<RunsQuery<Slug>>,
): UseRunsReturn
export function useRuns(query: MaybeRefOrGetter<RunsQuery> = {}): UseRunsReturn {
  const store = usePgflowListStore()
  const asked = computed(() => readQuery(toValue(query)))
  const queryError = () => asked.value.error
  // Compared by value: a getter may return a new object each time.
  const key = computed(() => asked.value.query && listKey(asked.value.query))
  const observe = () => store.observeRuns<AnyFlow>(asked.value.query ?? {})
  const observation = observeInScope({
    key,
    observe,
    read: async () => {
      const { ready, release } = observe()
      await ready.finally(release)
    },
    keepFailure: (name, connection) => {
      const list = ownValue(store.lists, name)
      if (list) list.connection = connection
    },
    held: (name) => ownValue(store.lists, name)?.connection.error,
  })
  const list = computed(() => ownValue(store.lists, key.value ?? ''))
  const connection = computed((): ListConnection => {
    const error = queryError()?.toJSON()
    if (error) return { status: 'closed', error }
    return list.value?.connection ?? { status: 'idle', error: null }
  })
  /** Calls a method of the list, which is observed for that time if it is not already. */
  const withList = async (work: (list: ListObservation) => Promise<void>) => {
    const error = queryError()
    if (error) throw error
    const current = observation.current()
    if (current) return work(current)
    const own = observe()
    await work(own).finally(own.release)
  }
  const refresh = () => withList((held) => held.refresh())
  const ready = queryError() ? refresh() : observation.ready
  // Most callers look at `error` instead.
  ready.catch(() => undefined)
  return {
    runs: computed(() => store.runsOf(toValue(query))),
    hasMore: computed(() => list.value?.hasMore ?? false),
    isLoading: computed(() => list.value?.isLoading ?? false),
    connection,
    error: computed(() => connection.value.error),
    loadMore: () => withList((held) => held.loadMore()),
    refresh,
    ready,
  }
}
