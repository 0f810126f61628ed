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

/** What is observed in a scope. */
export interface ScopedObservation<Observation> {
  /** The observation of now; null when there is none, as always on a server. */
  current: () => Observation | null
  /** Resolves once what is named is in the store. */
  ready: Promise<void>
  /** Whether whoever observes is shown: not in a component that is kept alive for later. */
  isShown: () => boolean
}

/** What is observed, and how it is read where nothing can be observed. */
export interface ScopedTarget<Observation> {
  /** The id of the run, or the key of the list; it may change. */
  key: ComputedRef<string | null>
  observe: (key: string) => Observation
  /** Reads it on a server: once a page, however many components show it. */
  read: (key: string) => Promise<void>
  /** Writes into the state why a read on a server failed. */
  keepFailure: (key: string, failed: FailedRead) => void
  /**
   * For the first rendering in the browser: whether the server has read it (null), has failed to
   * (the error), or has not tried (undefined).
   */
  held: (key: string) => PlainError | null | undefined
}

const ignore = () => undefined

/**
 * Observes whatever `key` names, from now until the scope ends, but for the time in which a
 * `<KeepAlive>` keeps the component and does not show it. On a server it is read before the
 * component renders, and nothing is observed.
 */
export function observeInScope<Observation extends { ready: Promise<void>; release: () => void }>(
  target: ScopedTarget<Observation>,
): ScopedObservation<Observation> {
  const { key, observe, held } = target
  if (useEngine().config().isServer) {
    return { current: () => null, ready: readBeforeRender(target), isShown: () => true }
  }
  // The first rendering has to be what the server sent, and that was not live.
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
          // What was let go of meanwhile is of no interest: another one is being waited for.
          if (made === observation || !scope?.active) reject(failure)
        })
      },
      // Sync: between a change and the next tick nobody must see the old one as observed.
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

/** Whether the component that is being set up takes over what a server has rendered. */
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
  // Again: a key that a set-up has waited for is only known then.
  onServerPrefetch(() => readNow().catch(ignore))
  // What cannot be read here is left to the browser, which asks again.
  return quietly(readNow())
}

/** What became of the server's read. */
function asSent(error: PlainError | null): Promise<void> {
  if (!error) return Promise.resolve()
  const { code, message, hint } = error
  return Promise.reject(new PgflowError(code, message, { hint }))
}

/** A promise whose failure nobody has to handle: it shows in `error`. */
function quietly(promise: Promise<void>): Promise<void> {
  promise.catch(ignore)
  return promise
}
