import { computed, toValue, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import type { PlainError } from '../errors.ts'
import type { AnyFlow, FlowSlug, UnlessRegistered } from '../flow-types.ts'
import type { ListConnection, RunSummary } from '../model/entities.ts'
import { toListQuery, type RunsQuery } from '../run-query.ts'
import { usePgflowStore } from '../store.ts'
import { listKey } from '../sync/list-types.ts'
import { observeInScope } from './observe-in-scope.ts'

/** What `useRuns` returns. */
export interface UseRunsReturn {
  /** The runs, newest first, without their inputs and outputs: `useRun` has those of one. */
  runs: ComputedRef<RunSummary[]>
  /**
   * Shows one more page, if there is one. Calling it again meanwhile asks for no more.
   * @throws PgflowError
   */
  loadMore: () => Promise<void>
  /** Whether there are older runs. */
  hasMore: ComputedRef<boolean>
  /** Whether the first page, another one or a `refresh` is being read. */
  isLoading: ComputedRef<boolean>
  /** How live the list is; null while it is not observed. */
  connection: ComputedRef<ListConnection | null>
  /** Why the list cannot be shown, or is not live; null when all is well. */
  error: ComputedRef<PlainError | null>
  /**
   * Reads what is shown from the database now.
   * @throws PgflowError
   */
  refresh: () => Promise<void>
  /**
   * Resolves once the first page of the first query is in the store, for `<Suspense>`.
   * @throws PgflowError
   */
  ready: Promise<void>
}

/**
 * A live list of the runs that the signed-in user started, while the component is mounted. The
 * query may change; components that show the same list share it. With private channels the list
 * hears of every change; otherwise it is read again every 2 to 15 s, and whatever this client
 * itself starts or follows shows at once.
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
  const store = usePgflowStore()
  const listQuery = computed(() => toListQuery(toValue(query)))
  // Compared by value: a getter may make a new object each time.
  const key = computed(() => listKey(listQuery.value))
  const observation = observeInScope(
    key,
    () => store.observeRuns<AnyFlow>(listQuery.value),
    async (name) => {
      // The components of a page read a list once.
      const { isLoading, connection } = store.lists[name] ?? {}
      if (connection && !isLoading && !connection.error) return
      const { ready, release } = store.observeRuns<AnyFlow>(listQuery.value)
      await ready.finally(release)
    },
    (name) => store.lists[name] !== undefined,
  )
  const list = computed(() => store.lists[key.value])
  return {
    runs: computed(() => store.runsOf(listQuery.value)),
    hasMore: computed(() => list.value?.hasMore ?? false),
    isLoading: computed(() => list.value?.isLoading ?? false),
    connection: computed(() => list.value?.connection ?? null),
    error: computed(() => list.value?.connection.error ?? null),
    loadMore: async () => observation.current()?.loadMore(),
    refresh: async () => observation.current()?.refresh(),
    ready: observation.ready,
  }
}
