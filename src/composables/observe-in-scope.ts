import {
  getCurrentInstance,
  getCurrentScope,
  onMounted,
  onScopeDispose,
  onServerPrefetch,
  watch,
  type ComputedRef,
} from 'vue'
import { useEngine } from '../engine/installation.ts'

/** What is observed in a scope. */
export interface ScopedObservation<Observation> {
  /** The observation of now; null when there is none, as always on a server. */
  current: () => Observation | null
  /** Resolves once what was named at first is in the store. */
  ready: Promise<void>
}

const ignore = () => undefined

/**
 * Observes whatever `key` names, from now until the scope ends. On a server it is read before the
 * component renders, and nothing is observed.
 */
export function observeInScope<Observation extends { ready: Promise<void>; release: () => void }>(
  key: ComputedRef<string | null>,
  observe: (key: string) => Observation,
  read: (key: string) => Promise<void>,
  isHeld: (key: string) => boolean,
): ScopedObservation<Observation> {
  if (useEngine().config().isServer) {
    return { current: () => null, ready: readBeforeRender(key, read) }
  }
  let observation: Observation | null = null
  const begin = () =>
    watch(
      key,
      (named) => {
        const previous = observation
        observation = named === null ? null : observe(named)
        previous?.release()
      },
      // Sync: between a change and the next tick nobody must see the old one as observed.
      { immediate: true, flush: 'sync' },
    )
  const current = (): Observation | null => observation
  onScopeDispose(() => {
    observation?.release()
    observation = null
  })
  if (key.value === null || !isHydrating() || !isHeld(key.value)) {
    begin()
    return { current, ready: current()?.ready ?? Promise.resolve() }
  }
  // The first rendering has to be what the server sent, and that was not live.
  const scope = getCurrentScope()
  onMounted(() => void scope?.run(begin))
  return { current, ready: Promise.resolve() }
}

/** Whether the component that is being set up takes over what a server has rendered. */
function isHydrating(): boolean {
  return Boolean(getCurrentInstance()?.vnode.el)
}

function readBeforeRender(
  key: ComputedRef<string | null>,
  read: (key: string) => Promise<void>,
): Promise<void> {
  if (!getCurrentInstance()) return Promise.resolve()
  const readNow = async () => {
    if (key.value !== null) await read(key.value)
  }
  const ready = readNow()
  // What cannot be read here is left to the browser, which asks again.
  ready.catch(ignore)
  // Again: a key that a set-up has waited for is only known now.
  onServerPrefetch(() => readNow().catch(ignore))
  return ready
}
