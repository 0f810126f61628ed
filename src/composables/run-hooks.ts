import { usePgflowStore } from '../store/pgflow-store.ts'
import type { AnyFlow, RunOf, StepOf } from '../flow-types.ts'
import type { RunChange } from '../model/changes.ts'
import { isTerminal, type StepRetry } from '../model/entities.ts'

/**
 * Called for changes of the run that is shown: once for each change, whether it came from a
 * broadcast or a snapshot; not after a reconnect, and not when a run is read for the first time. A
 * change from a broadcast that may be forged or incomplete is emitted once a snapshot has confirmed
 * it. The rows are copies, made when the change was emitted.
 *
 * @example
 * useFlow('analyze_text', {
 *   onCompleted: (run) => notify(`${run.flow_slug} is done`),
 *   onFailed: (run) => notify(run.error_message),
 * })
 */
export interface RunHooks<Flow extends AnyFlow = AnyFlow> {
  /** The database has started the run. */
  onStarted?: (run: RunOf<Flow>) => void
  /** A step has another status. */
  onStep?: (step: StepOf<Flow>, run: RunOf<Flow>) => void
  /** An attempt at a step has failed and will be retried. */
  onRetry?: (retry: StepRetry, step: StepOf<Flow>) => void
  onCompleted?: (run: RunOf<Flow>) => void
  onFailed?: (run: RunOf<Flow>) => void
  /** The run has ended, whatever its outcome. */
  onEnded?: (run: RunOf<Flow>) => void
}

/**
 * Calls the hooks for the run that `runId` has at the time, until the scope ends.
 * @param isShown - hooks of a component that is kept alive and inactive are not called.
 */
export function useRunHooks(
  runId: () => string | null,
  hooks: RunHooks,
  isShown: () => boolean,
): void {
  if (Object.keys(hooks).length === 0) return
  usePgflowStore().onRunChange((change) => {
    if (isShown() && change.run.run_id === runId()) callHooks(hooks, change)
  })
}

function callHooks(hooks: RunHooks, change: RunChange): void {
  const { run } = change
  if (change.kind === 'retry') hooks.onRetry?.(change.retry, change.step)
  else if (change.kind === 'step') hooks.onStep?.(change.step, run)
  else {
    // A short run may have ended before the response to its start.
    if (change.from === 'pending') hooks.onStarted?.(run)
    if (run.status === 'completed') hooks.onCompleted?.(run)
    if (run.status === 'failed') hooks.onFailed?.(run)
    if (isTerminal(run.status)) hooks.onEnded?.(run)
  }
}
