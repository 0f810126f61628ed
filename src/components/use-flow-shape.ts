import { computed, onMounted, onServerPrefetch, shallowRef, watch, type ComputedRef } from 'vue'
import { toPgflowError, type PgflowError } from '../errors.ts'
import type { AnyFlow } from '../flow-types.ts'
import type { FlowShape } from '../model/entities.ts'
import { usePgflowStore } from '../store/pgflow-store.ts'
import type { ViewedRun } from './use-viewed-run.ts'

export interface ViewedShape {
  /** Undefined until it is read. */
  shape: ComputedRef<FlowShape | undefined>
  /** Why it could not be read; null otherwise. */
  shapeError: ComputedRef<PgflowError | null>
  /** Reads it again. */
  retry: () => void
}

/**
 * Reads the shape of the flow of a run, once whichever components show it. Where that fails it is
 * tried again as soon as the run is live again.
 */
export function useFlowShape({ run, ready, connection }: ViewedRun): ViewedShape {
  const store = usePgflowStore()
  const flow = computed(() => run.value?.flow_slug ?? null)
  const shape = computed(() => (flow.value === null ? undefined : store.flowBySlug(flow.value)))
  const failed = shallowRef<{ flow: string; error: PgflowError } | null>(null)

  async function read(): Promise<void> {
    const slug = flow.value
    if (slug === null || shape.value) return
    try {
      await store.fetchFlow<AnyFlow>(slug)
      failed.value = null
    } catch (thrown) {
      failed.value = { flow: slug, error: toPgflowError(thrown) }
    }
  }

  onServerPrefetch(async () => {
    await ready.catch(() => undefined)
    // If it cannot be read here, the browser tries again; its first rendering shows no failure.
    if (flow.value !== null) await store.fetchFlow<AnyFlow>(flow.value).catch(() => undefined)
  })
  const isLive = computed(() => connection.value.status === 'live')
  // Only once mounted: the first rendering has to equal the server's.
  onMounted(() => {
    watch([flow, shape, isLive], () => void read(), { immediate: true })
  })
  return {
    shape,
    shapeError: computed(() =>
      shape.value || failed.value?.flow !== flow.value ? null : failed.value.error,
    ),
    retry: () => void read(),
  }
}
