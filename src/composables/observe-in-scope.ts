import {
  getCurrentInstance,
  getCurrentScope,
  onScopeDispose,
  onServerPrefetch,
  watch,
  type ComputedRef,
} from 'vue'
import { useEngine } from '../store/installation.ts'
import { PgflowError, toPgflowError, type PlainError } from '../errors.ts'
import type { FailedRead } from '../store/server-reads.ts'
import { trackShown } from './is-shown.ts'

/** An observation that lasts as long as a scope. */
export interface ScopedObservation<Observation> {
  /** The current observation; null if there is none, as always on a server. */
  current: () => Observation | null
  /** Resolves once the run or list is in the store. */
  ready: Promise<void>
  /** Whether the component is shown: not while a `<KeepAlive>` keeps it inactive. */
  isShown: () => boolean
}

/** What is observed, and how it is read on a server. */
export interface ScopedTarget<Observation> {
  /** The id of the run, or the key of the list; it may change. */
  key: ComputedRef<string | null>
  observe: (key: string) => Observation
  /** Reads it on a server: once a page, however many components show it. */
  read: (key: string) => Promise<void>
  /** Writes the error of a failed request on a server into the state. */
  keepFailure: (key: string, failed: FailedRead) => void
  /**
   * For the first rendering in the browser: whether the server has read it (null), has failed to
   * (the error), or has not tried (undefined).
   */
  held: (key: string) => PlainError | null | undefined
}

const ignore = () => undefined

/**
 * Observes the run or list of `key` until the scope ends, except while a `<KeepAlive>` keeps the
 * component inactive. On a server it is read before the component renders, and nothing is observed.
 */
export function observeInScope<Observation extends { ready: Promise<void>; release: () => void }>(
  target: ScopedTarget<Observation>,
): ScopedObservation<Observation> {
  const { key, observe, held } = target
  if (useEngine().config().isServer) {
    return { current: () => null, ready: readBeforeRender(target), isShown: () => true }
  }
  // The first rendering has to match the server's, and that was not live.
  const sent = key.value !== null && isHydrating() ? held(key.value) : undefined
  const isShown = trackShown(sent !== undefined)
  const scope = getCurrentScope()
  let observation: Observation | null = null
  const ready = new Promise<void>((resolve, reject) => {
    let failure: Error | null = null
    watch(
      () => (isShown.value ? key.value : null),
      (named) => {
        const previous = observation
        const made = named === null ? null : observe(named)
        observation = made
        previous?.release()
        if (isShown.value && !made) resolve()
        made?.ready.then(resolve, (error: unknown) => {
          failure = toPgflowError(error)
          // If the key has changed meanwhile, this result does not matter: another one is awaited.
          if (made === observation || !scope?.active) reject(failure)
        })
      },
      // Sync: until the next tick, the old observation would pass for that of the new key.
      { immediate: true, flush: 'sync' },
    )
    onScopeDispose(() => {
      observation?.release()
      observation = null
      if (failure) reject(failure)
    })
  })
  ready.catch(ignore)
  return {
    current: () => observation,
    ready: sent === undefined ? ready : quietly(asSent(sent)),
    isShown: () => isShown.value,
  }
}

/** Whether the current component hydrates HTML that a server has rendered. */
function isHydrating(): boolean {
  return Boolean(getCurrentInstance()?.vnode.el)
}

function readBeforeRender({
  key,
  read,
  keepFailure,
}: Omit<ScopedTarget<unknown>, 'observe'>): Promise<void> {
  if (!getCurrentInstance()) return Promise.resolve()
  const { serverReads } = useEngine()
  const readNow = async () => {
    const named = key.value
    if (named === null) return
    await serverReads.once(
      named,
      () => read(named),
      (failed) => keepFailure(named, failed),
    )
  }
  // Again, because a key that the set-up has awaited is only available now.
  onServerPrefetch(() => readNow().catch(ignore))
  // If it cannot be read here, the browser tries again.
  return quietly(readNow())
}

/** The result of the server's request. */
function asSent(error: PlainError | null): Promise<void> {
  if (!error) return Promise.resolve()
  const { code, message, hint } = error
  return Promise.reject(new PgflowError(code, message, { hint }))
}

/** A promise whose rejection need not be handled: the failure is in `error`. */
function quietly(promise: Promise<void>): Promise<void> {
  promise.catch(ignore)
  return promise
}
